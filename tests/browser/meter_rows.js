() => Object.fromEntries([...document.querySelectorAll("#theory-card .live-terms tr")].map((row) => {
    const box = (node) => node.getBoundingClientRect();
    const [bar, ghost] = ["i:not(.live-before)", ".live-before"].map((it) => row.querySelector(it));
    const length = box(row.querySelector("td.live-length"));
    const of = (it) => it.hidden ? null : [box(it).left - length.left, box(it).right - length.left];
    return [row.dataset.term, {
        value: Number(row.querySelector("output").textContent.replace("−", "-")), bar: of(bar), before: of(ghost),
    }];
}))
