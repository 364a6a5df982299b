() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
        const { parentElement: parent } = text;
        if (!/\p{L}/u.test(text.data) || parent.closest("svg, script, style, textarea, font")) continue;
        const outer = document.createElement("font");
        outer.append(document.createElement("font"));
        outer.firstChild.textContent = text.data.replace(/\p{L}+/gu, "ord");
        text.replaceWith(outer);
    }
}
