// What the parts of the page know of a term: the value that it has now.

/** @typedef {() => string} Give the value for people, such as "5.5 nats"; empty where there is none */

/** @type {Map<string, { node: Element, give: Give }[]>} */
const known = new Map();

/**
 * A part of the page offers a term's value; it is shown while that part is in sight.
 *
 * @param {string} term
 * @param {Give} give
 * @param {Element} node the part
 */
export function offerValue(term, give, node) {
  known.set(term, [...(known.get(term) ?? []), { node, give }]);
}

/**
 * The value that a term has now; empty where no part in sight knows one.
 *
 * @param {string} term
 */
export function valueNow(term) {
  const parts = (known.get(term) ?? []).filter(({ node }) => node.checkVisibility());
  return parts.map(({ give }) => give()).find((text) => text) ?? "";
}
