// Text with formulas in it, between dollar signs.

import { make } from "../shared/page.js";
import { typeset } from "../words/typeset.js";

/**
 * A node with a text, in which $…$ is typeset.
 *
 * @template {"p" | "span" | "div" | "td" | "th" | "button" | "small" | "label"} T
 * @param {T} tag
 * @param {string} text
 * @param {string} [className]
 */
export function prose(tag, text, className = "") {
  const parts = text.split("$").map((part, n) => (n % 2 ? formula(part) : part));
  const node = make(tag, {}, ...parts);
  node.className = className;
  return node;
}

/** @param {string} latex */
function formula(latex) {
  const node = make("span", { className: "live-inline" });
  typeset(node, latex, "\\textstyle");
  return node;
}
