// What stands at a station of the machine, in words: its shape and its values.

import { count, minus, SIDE } from "../shared/page.js";

/** @import { Q } from "../shared/types.js" */

const LISTED = 3; // numbers that are written out; of more of them the least and the greatest

/**
 * An image.
 *
 * @param {string} name
 * @param {Uint8Array} grey
 */
export function ofImage(name, grey) {
  const ends = [Math.min(...grey), Math.max(...grey)].map((value) => (value / 255).toFixed(2));
  return `${name}: ${SIDE} × ${SIDE} numbers from ${ends[0]} to ${ends[1]}`;
}

/**
 * A list of numbers.
 *
 * @param {string} name
 * @param {ArrayLike<number>} numbers
 */
export function ofNumbers(name, numbers) {
  const values = Array.from(numbers);
  const text = (/** @type {number} */ value) => minus(value.toFixed(2));
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const said = values.length <= LISTED ? values.map(text).join(", ") : `from ${text(least)} to ${text(greatest)}`;
  return `${name}: ${count(values.length, "number")}, ${said}`;
}

/**
 * A q.
 *
 * @param {Q} q
 */
export const ofQ = ({ mu, std }) => `${ofNumbers("μ", mu)}; ${ofNumbers("σ", std)}`;
