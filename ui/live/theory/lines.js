// Line by line: the derivation with the numbers of its equations, and what each line comes to for the image in hand.

import { make } from "../shared/page.js";
import { Formula } from "./formula.js";
import { prose } from "./prose.js";

/** @import { Card } from "./cards.js" */

const SOURCES = "(1) to (44): equations of Odaibo, arXiv:1907.08956. §1 to §10: sections of the derivation note.";

/**
 * The drawer of a card, and the button that opens it; null where the card has no derivation.
 *
 * @param {Card} card
 * @param {(term: string | null) => void} pointed a term of a formula is pointed at, or none any more
 */
export function drawer({ lines, example }, pointed) {
  if (!lines.length && !example) return null;
  const rows = lines.map(({ number, formula, says, value }) => {
    const shown = value ? ["= ", make("output", {}, "–")] : [];
    const result = make("td", { className: "live-line-value" }, ...shown);
    const output = result.querySelector("output");
    if (output) output.dataset.value = value;
    const text = make("td", {}, new Formula(formula, pointed).node, ...(says ? [prose("small", says)] : []));
    return make("tr", {}, make("th", { scope: "row" }, number), text, result);
  });
  const parts = [];
  if (rows.length) parts.push(make("table", { className: "live-lines" }, make("tbody", {}, ...rows)));
  if (lines.some(({ number }) => number)) parts.push(make("small", { className: "live-sources" }, SOURCES));
  if (example) parts.push(prose("p", example, "live-example"));
  const node = make("div", { className: "live-drawer", hidden: true }, ...parts);
  const handle = make("button", { type: "button", className: "live-quiet", ariaExpanded: "false" }, "Line by line ▾");
  handle.onclick = () => {
    node.hidden = !node.hidden;
    handle.ariaExpanded = String(!node.hidden);
    handle.textContent = node.hidden ? "Line by line ▾" : "Line by line ▴";
    if (!node.hidden) node.scrollIntoView({ block: "nearest" });
  };
  return { node, handle };
}
