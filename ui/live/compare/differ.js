// The settings in which the ticked runs differ, and how low the held-out loss of each was and is.

import { make, minus } from "../shared/page.js";
import { SETTINGS } from "../shared/vocabulary.js";
import { apart, differing, shownValue } from "./names.js";

/**
 * @import { Columns } from "../shared/types.js"
 * @import { Run } from "./groups.js"
 */
/** @typedef {Run & { color: string }} Coloured */

const ALIKE = "The settings of these runs are the same.";
const TITLES = { data: "Data" }; // of what is no setting of the core

/** A table with a column for each run; lay out its node. */
export class Differences {
  #shown = "";
  #table = make("table");
  #alike = make("p", {}, ALIKE);
  node = make("div", {}, this.#alike, make("div", { className: "live-wide", tabIndex: 0 }, this.#table));

  /** @param {Coloured[]} runs */
  show(runs) {
    const rows = runs.map(({ row }) => row);
    const keys = inOrder(differing(rows));
    this.#alike.hidden = runs.length < 2 || keys.length > 0;
    const lines = [
      ...keys.map((key) => [titleOf(key), ...rows.map((row) => said(row, key))]),
      ["During the run", ...rows.map(({ changed }) => changed || "–")],
      ["Best −ELBO, held-out", ...runs.map(({ store }) => lossAt(store.columns, best(store.columns)))],
      ["Last −ELBO, held-out", ...runs.map(({ store }) => lossAt(store.columns, last(store.columns)))],
    ].filter(([title, ...cells]) => title !== "During the run" || cells.some((cell) => cell !== "–"));
    const labels = apart(
      rows.map(({ title, run }) => title ?? run),
      rows,
    );
    const heads = runs.map(({ color }, i) => ({ color, label: labels[i] }));
    const now = JSON.stringify([heads, lines]);
    if (now === this.#shown) return; // else what somebody has selected stays
    this.#shown = now;
    this.#table.replaceChildren(head(heads), make("tbody", {}, ...lines.map(line)));
  }
}

/** @param {{ color: string, label: string }[]} heads */
const head = (heads) =>
  make(
    "thead",
    {},
    make("tr", {}, make("td"), ...heads.map(({ color, label }) => make("th", { scope: "col" }, swatch(color), label))),
  );

/** @param {string[]} cells the title of the line first */
const line = ([title, ...cells]) =>
  make("tr", {}, make("th", { scope: "row" }, title), ...cells.map((cell) => make("td", {}, cell)));

/**
 * A spot of a run's colour.
 *
 * @param {string} color
 */
export function swatch(color) {
  const node = make("span", { className: "live-swatch", ariaHidden: "true" });
  node.style.background = color;
  return node;
}

/**
 * Settings in the order of the form, the data first.
 *
 * @param {string[]} keys
 */
function inOrder(keys) {
  const order = Object.keys(SETTINGS);
  return [...keys].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

/** @param {string} key */
const titleOf = (key) => SETTINGS[key]?.title ?? /** @type {Record<string, string>} */ (TITLES)[key] ?? key;

/**
 * @param {Run["row"]} row
 * @param {string} key
 */
const said = (row, key) => (key === "data" ? (row.data ?? "–") : shownValue(key, row.settings[key]));

/**
 * The record with the lowest held-out loss; −1 if there is none.
 *
 * @param {Columns} columns
 */
export const best = ({ test_elbo: losses }) =>
  losses.reduce((/** @type {number} */ found, loss, i) => {
    return loss !== null && (found < 0 || loss < Number(losses[found])) ? i : found;
  }, -1);

/**
 * The last record with a held-out loss; −1 if there is none.
 *
 * @param {Columns} columns
 */
export const last = ({ test_elbo: losses }) => losses.findLastIndex((loss) => loss !== null);

/**
 * @param {Columns} columns
 * @param {number} i
 */
function lossAt({ test_elbo: losses, step }, i) {
  return i < 0 ? "–" : `${minus(Number(losses[i]).toFixed(2))} at step ${step[i].toLocaleString("en")}`;
}
