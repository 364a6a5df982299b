() => {
    const isSeen = (node) => {
        const box = node.getBoundingClientRect();
        const isInside = box.width > 1 && box.height > 1 && box.top < innerHeight && box.bottom > 0 && box.right > 0;
        const isShown = node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
        return isInside && isShown && !node.closest(".visually-hidden");
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const words = [];
    for (let text = texts.nextNode(); text; text = texts.nextNode())
        if (isSeen(text.parentElement) && !text.parentElement.closest("script, style, noscript, option"))
            words.push(...(text.data.match(/[\p{L}’-]{2,}/gu) ?? []));
    for (const input of document.querySelectorAll("input"))
        if (isSeen(input)) words.push(...(input.value.match(/[\p{L}’-]{2,}/gu) ?? []));
    const controls = [...document.querySelectorAll("button, input, select, textarea, a[href], [role=application]")];
    return { words, controls: controls.filter(isSeen).map((it) => it.ariaLabel ?? it.textContent) };
}
