// textsOf gives the visible texts of the page that a selector names: each with its place, its size in px on the screen, and its
// contrast with what is behind it by WCAG 2. A text is what an element holds itself, what is written in a field, or what
// the style puts before or after it.
window.textsOf = (selector) => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    for (const colour of colours) {
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
    }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (colours) =>
    paint(colours)
      .map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (text, ground) => {
    const [dark, bright] = [light([...ground, text]), light(ground)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const behind = (node) => {
    const found = [];
    for (let each = node; each; each = each.parentElement) found.unshift(getComputedStyle(each).backgroundColor);
    return found;
  };
  const scale = (node) => {
    const { a, b } = node.getScreenCTM?.() ?? { a: 1, b: 0 };
    return Math.hypot(a, b);
  };
  const place = (node) => {
    const named = node.closest("[id]");
    return `${named ? `#${named.id} ` : ""}${node.localName}.${[...node.classList].join(".")}`;
  };
  const shown = (node) => {
    const { width, height } = node.getBoundingClientRect();
    const isInSight = node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    return isInSight && width > 1 && height > 1 && !node.closest(".katex-mathml, title, script, style");
  };
  const held = (node) =>
    node.matches("input:not([type=range], [type=checkbox], [type=radio], [type=file]), textarea")
      ? node.value || node.placeholder
      : [...node.childNodes].map((child) => (child.nodeType === Node.TEXT_NODE ? child.data : "")).join("");
  const written = (node) => [
    [held(node), getComputedStyle(node)],
    ...["::before", "::after"].map((name) => {
      const style = getComputedStyle(node, name);
      return [/^"(.*)"$/.exec(style.content)?.[1] ?? "", style];
    }),
  ];
  return [...document.querySelectorAll(selector)].filter(shown).flatMap((node) =>
    written(node)
      .filter(([text]) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text))
      .map(([text, style]) => ({
        text: `${place(node)}: ${text.trim()}`,
        size: Number.parseFloat(style.fontSize) * scale(node),
        contrast: contrast(node.closest("svg text") ? style.fill : style.color, behind(node)),
      })),
  );
};
