// The last drawing as it was posted, for the Latents tab and for a reload.

import { base64, bytes, SIDE } from "../shared/page.js";
import { PAD_SIDE } from "../shared/vocabulary.js";

/** @import { Drawing } from "../shared/types.js" */

const KEPT = "vae-drawing"; // in the browser's session storage

/** @type {(drawing: Drawing) => void} */
let put = () => {}; // of the mounted pad

/**
 * What is posted of a drawing.
 *
 * @param {Drawing} drawing
 */
export const posted = (drawing) => drawing.image ?? drawing.ink;

/**
 * Keeps a drawing.
 *
 * @param {Drawing} drawing
 */
export const keep = (drawing) => sessionStorage.setItem(KEPT, JSON.stringify(drawing));

/** Keeps that there is none: it was cleared. */
export const forgetKept = () => sessionStorage.setItem(KEPT, "null");

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
 * Puts an image in MNIST's format, 784 bytes, on the pad: at once where it is mounted, else as soon as it is.
 *
 * @param {Uint8Array} grey
 */
export function putOnPad(grey) {
  const drawing = { image: base64(grey) };
  keep(drawing);
  put(drawing);
}

/**
 * Has the mounted pad take what is put on it.
 *
 * @param {(drawing: Drawing) => void} take
 */
export function onPut(take) {
  put = take;
}
