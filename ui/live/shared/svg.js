// SVG elements.

const SPACE = "http://www.w3.org/2000/svg";

/**
 * An SVG element with attributes and children.
 *
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SPACE, tag);
  set(node, attributes);
  node.append(...children);
  return node;
}

/**
 * Gives an SVG element other attributes.
 *
 * @param {SVGElement} node
 * @param {Record<string, string | number>} attributes
 */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
}
