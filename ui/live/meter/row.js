// A row of the meter: its name, its bar, the bar of before, and its number.

import { make, minus } from "../shared/page.js";

/** @import { Scale } from "./scale.js" */
/**
 * A value, and the two places of the scale between which its bar lies.
 *
 * @typedef {{ value: number | null, from: number | null, to: number | null }} Bar
 * @typedef {ReturnType<typeof row>} Row
 */

/**
 * A row, empty; its ghost is the bar of before.
 *
 * @param {string} sign
 * @param {string} name
 */
export function row(sign, name, note = "") {
  const bar = make("i");
  const ghost = make("i", { className: "live-before", hidden: true });
  const output = make("output");
  const small = make("small", {}, note);
  const title = make("span", {}, name);
  const before = make("td", {}, sign);
  const node = make(
    "tr",
    {},
    before,
    make("th", {}, title, small),
    make("td", { className: "live-length" }, ghost, bar),
    make("td", {}, output),
  );
  return { node, bar, ghost, output, sign: before, title, note: small };
}

/**
 * Numbers with so many digits after the point.
 *
 * @param {number} digits
 */
export const shower = (digits) => (/** @type {number | null} */ value) =>
  value === null ? "not finite" : minus(value.toFixed(digits));

/**
 * Shows bars in their rows.
 *
 * @param {Scale} scale
 * @param {number} digits
 */
export function putter(scale, digits) {
  const shown = shower(digits);
  return (/** @type {Row} */ { bar, output }, /** @type {Bar} */ it) => {
    output.textContent = shown(it.value);
    lay(bar, it, scale);
    bar.title = bar.hidden ? "" : `${shown(it.from)} to ${shown(it.to)} nats`;
  };
}

/**
 * Lays a bar between two places of the scale; hides it where one is not known.
 *
 * @param {HTMLElement} node
 * @param {Omit<Bar, "value"> | null | undefined} bar
 * @param {Scale} scale
 */
export function lay(node, bar, { low, high }) {
  const { from, to } = bar ?? { from: null, to: null };
  node.hidden = from === null || to === null;
  if (from === null || to === null) return;
  const [left, right] = [Math.min(from, to), Math.max(from, to)].map((end) => (100 * (end - low)) / (high - low));
  Object.assign(node.style, { left: `${left}%`, width: `${right - left}%` });
}
