// A table of numbers in rows and columns, which the frame fills by their names.

import { make } from "../../shared/page.js";

/**
 * title: with what stands before it, if anything; names: of the values, a column each; className: of the row.
 *
 * @typedef {{ title: (string | Node)[], names: string[], className?: string }} Row
 */

/**
 * @param {(string | Node)[]} caption below the table
 * @param {string[]} heads of the columns, that of the titles first
 * @param {Row[]} rows
 */
export function table(caption, heads, rows) {
  const head = heads.map((text) => make("th", { scope: "col" }, text));
  const body = rows.map(({ title, names, className = "" }) => {
    const cells = names.map((name) => make("td", {}, number(name)));
    return make("tr", { className }, make("th", { scope: "row" }, ...title), ...cells);
  });
  return make(
    "table",
    { className: "live-numbers live-kls" },
    make("caption", {}, ...caption),
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...body),
  );
}

/**
 * The place of a number.
 *
 * @param {string} name
 */
export function number(name) {
  const output = make("output", {}, "–");
  output.dataset.value = name;
  return output;
}
