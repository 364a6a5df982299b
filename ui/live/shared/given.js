// What the model is given of a drawing with a hidden part: that alone is scored.

import { bytes, penOf, SIDE } from "./page.js";

/** @import { Hole } from "./types.js" */

export const PIXELS = SIDE * SIDE;
const ORANGE = "#e8710a";

/**
 * How many pixels are visible.
 *
 * @param {Hole} hole
 */
export const visibleOf = ({ hidden }) => (hidden ? bytes(hidden).filter((value) => value === 0).length : PIXELS);

/**
 * What the model is given, in formulas, which do not break in the middle of it.
 *
 * @param {Hole} hole
 */
export const nameOf = ({ hidden }) => (hidden ? "x\u00a0visible" : "x");

/**
 * Paints over the hidden pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} hidden
 * @param {number} side of a pixel, in those of the canvas
 */
export function paintHidden(canvas, hidden, side = 1) {
  const pen = penOf(canvas);
  pen.fillStyle = ORANGE;
  hidden.forEach((yes, i) => {
    if (yes) pen.fillRect((i % SIDE) * side, Math.floor(i / SIDE) * side, side, side);
  });
}
