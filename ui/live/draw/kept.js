// The last drawing as it was posted: the same on every tab, and after a reload.

import { base64, bytes, SIDE } from "../shared/page.js";
import { PAD_SIDE } from "../shared/vocabulary.js";

/** @import { Drawing } from "../shared/types.js" */

const KEPT = "vae-drawing"; // in the browser's session storage

/** @typedef {() => void} Take */

/** @type {Set<Take>} */
const takers = new Set();

/**
 * What is posted of a drawing.
 *
 * @param {Drawing} drawing
 */
export const posted = (drawing) => drawing.image ?? drawing.ink;

/**
 * Keeps a drawing; null where there is none: it was cleared. All others who show it take it too.
 *
 * @param {Drawing | null} drawing
 * @param {Take} [by] who shows it already
 */
export function keep(drawing, by) {
  sessionStorage.setItem(KEPT, JSON.stringify(drawing));
  for (const take of takers) if (take !== by) take();
}

/** Whether nothing was drawn in this window yet, nor cleared. */
export const isUntouched = () => sessionStorage.getItem(KEPT) === null;

/**
 * The drawing as it was last posted; null where there is none.
 *
 * @returns {Drawing | null}
 */
export function keptDrawing() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    return [SIDE ** 2, PAD_SIDE ** 2].includes(bytes(posted(kept) ?? "").length) ? kept : null;
  } catch {
    return null; // nothing is kept, or not a drawing
  }
}

/**
 * Puts an image in MNIST's format, 784 bytes, on every pad.
 *
 * @param {Uint8Array} grey
 */
export const putOnPad = (grey) => keep({ image: base64(grey) });

/**
 * Tells a pad of each drawing that another one keeps.
 *
 * @param {Take} take
 */
export function onKept(take) {
  takers.add(take);
}
