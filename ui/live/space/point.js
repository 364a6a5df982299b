// The point of latent space that is looked at, shared by the tabs: whoever moves it tells all who show it.

/** @import { Z } from "../shared/types.js" */

/**
 * z: D numbers, or null before anybody has put a point anywhere; by: who moved it last.
 *
 * @type {{ z: Z | null, by: unknown }}
 */
export const point = { z: null, by: null };

/** @typedef {{ z: Z, by: unknown }} Moved */

/** Who moved the point where Latents opened at it: any other point comes before that one. */
export const START = "start";

/** @type {Set<(point: Moved) => void>} */
const views = new Set();

/**
 * Whether these are coordinates that a model can decode: finite ones, as float32 holds them.
 *
 * @param {number[]} z
 */
export const isPoint = (z) => z.every((value) => Number.isFinite(Math.fround(value)));

/**
 * Moves the point.
 *
 * @param {Iterable<number>} z
 * @param {unknown} [by] handed to the views, so that the mover can tell its own move from another's
 */
export function movePoint(z, by = null) {
  const moved = { z: Float32Array.from(z), by };
  Object.assign(point, moved);
  for (const view of views) view(moved);
}

/**
 * Calls view(point) at every move, and now where there is a point.
 *
 * @param {(point: Moved) => void} view
 */
export function onPoint(view) {
  views.add(view);
  if (point.z) view({ z: point.z, by: point.by });
}
