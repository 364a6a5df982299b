() => {
    const found = [];
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} wide`);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (texts.nextNode()) {
        const parent = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim()) continue;
        if (parent.closest("svg, select, .katex, script, style, [role=listbox]")) continue;
        range.selectNodeContents(texts.currentNode);
        const { left, right, width } = range.getBoundingClientRect();
        if (!width || !parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        for (let each = parent; each; each = each.parentElement) {
            const [box, { overflowX }] = [each.getBoundingClientRect(), getComputedStyle(each)];
            if (box.width <= 1 || ["auto", "scroll"].includes(overflowX)) break;
            if (each === document.body || ["hidden", "clip"].includes(overflowX)) {
                if (left < box.left - 1 || right > box.right + 1) found.push(texts.currentNode.data.trim());
            }
        }
    }
    return found;
}
