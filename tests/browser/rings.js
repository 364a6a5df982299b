() => {
    const controls = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const inside = (a, b) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
    const grown = ({ left, right, top, bottom }, by) =>
        ({ left: left - by, right: right + by, top: top - by, bottom: bottom + by });
    const wrong = (control) => {
        control.focus();
        if (document.activeElement !== control) return "";
        const node = control.matches(".live-dim") ? control.firstElementChild : control; // its number stays outside
        const style = getComputedStyle(node);
        const [width, offset] = [style.outlineWidth, style.outlineOffset].map(parseFloat);
        if (style.outlineStyle === "none" || width < 2) return "has no ring";
        const box = node.getBoundingClientRect();
        for (let each = node.parentElement; each; each = each.parentElement) {
            if (getComputedStyle(each).overflowX === "visible") continue;
            if (!inside(grown(box, width + offset), grown(each.getBoundingClientRect(), 0.5))) return "is cut off";
        }
        const within = grown(box, offset);
        const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        while (node.matches("button, [role=button]") && texts.nextNode()) {
            if (!/[\p{L}\p{N}]/u.test(texts.currentNode.data)) continue; // an arrow may be turned
            range.selectNodeContents(texts.currentNode);
            const { left, right } = range.getBoundingClientRect();
            if (left < within.left || right > within.right) return "goes through text";
        }
        return "";
    };
    return [...document.querySelectorAll(controls)]
        .filter((node) => node.tabIndex === 0 && node.offsetWidth && !node.disabled)
        .filter((node) => node.checkVisibility({ visibilityProperty: true }))
        .map((node) => [wrong(node), node])
        .filter(([what]) => what)
        .map(([what, node]) => `${what}: ${node.outerHTML.slice(0, 160)}`);
}
