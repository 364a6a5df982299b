// A word of the glossary, as words.js finds it on the page.

import { make } from "../shared/page.js";

/**
 * A dotted word that opens its explanation, or an i in a circle if there is no text.
 *
 * @param {string} term
 * @param {string} [text]
 */
export function word(term, text = "") {
  const node = make("span", {}, text);
  node.dataset.term = term;
  return node;
}
