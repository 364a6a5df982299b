// A thread of its own that finds exact posteriors, so that the page never waits. It answers one message after the other.

import { Lattice } from "./lattice.js";
import { pictured } from "./picture.js";
import { integrate } from "./quadrature.js";

/** @import { Exact, Q } from "../shared/types.js" */
/** @import { Given } from "./lattice.js" */
/**
 * decoder: the file, where it is another than the last; image: 28×28 bytes as the model sees them, or null to get ready;
 * hidden: as many, 0 where a pixel is visible, or null where all are.
 *
 * @typedef {{ decoder: ArrayBuffer | null, image: Uint8Array | null, hidden?: Uint8Array | null, q: Q }} Question
 */

const SLOW = 12; // ms that a point may take to decode
const TRIALS = 64; // points that are decoded before the time is believed

/** @type {Lattice | null} */
let lattice = null;

/**
 * The lattice of a decoder with its first level; null where this browser is too slow for it.
 *
 * @param {ArrayBuffer} file
 */
function begun(file) {
  const made = new Lattice(file);
  made.decode(made.first.slice(0, TRIALS / 2)); // slow everywhere
  const start = performance.now();
  made.decode(made.first.slice(TRIALS / 2, TRIALS));
  if ((performance.now() - start) / (TRIALS / 2) > SLOW) return null;
  made.decode(made.first);
  return made;
}

/** @type {(image: Uint8Array, hidden: Uint8Array) => Given} */
const given = (image, hidden) => ({
  x: Float32Array.from(image, (value, i) => (hidden[i] ? 0 : value / 255)),
  hidden: [...hidden.keys()].filter((i) => hidden[i]),
});

/**
 * @param {Question} question
 * @returns {Exact | null}
 */
function answer({ decoder, image, hidden, q }) {
  if (decoder) lattice = begun(decoder);
  if (!lattice || !image) return null;
  lattice.forget();
  const found = integrate(lattice, given(image, hidden ?? new Uint8Array(image.length)), q.mu);
  return { log_px: found.log_px, uncertainty: found.error, ...pictured(lattice, found, q) };
}

globalThis.onmessage = ({ data }) => postMessage(answer(data));
