// log p(x) = log ∫ p(x, z) dz of a plane, by sums over finer and finer lattices where p(x, z) is not negligible (T20b).
// vae_core/evaluation/posterior.py is the reference.

import { keyOf, LEVELS, placesOf, strideOf } from "./lattice.js";

/** @import { Given, Lattice } from "./lattice.js" */

/**
 * log_px: nats; error: of it, from two resolutions; joint: log p(x, z) at the points of the last lattice, and of its
 * cells the side in steps of the finest.
 *
 * @typedef {{ log_px: number, error: number, joint: Map<number, number>, stride: number }} Found
 */

const NEGLIGIBLE = 8; // nats below the highest density: of a Gaussian, a share of 3e-4 lies beyond
const AGREED = 0.03; // nats of error at which it ends
const FAR = 500; // points of the first level from the prior's mean, as far as anything is looked for
const MOST = 1000; // points, after which it ends with the error that there is

/**
 * The integral for one image. The sum of a smooth density over a lattice errs by far less than that over every second
 * point of it, and one with kinks, as a network of ReLUs has, by a quarter: a third of what those differ is the error.
 *
 * @param {Lattice} lattice
 * @param {Given} given
 * @param {number[]} near where something may lie beyond the first level: q's mean
 * @returns {Found}
 */
export function integrate(lattice, given, near) {
  const stride = strideOf(0);
  const [i, j] = near.map((z) => stride * Math.max(-FAR, Math.min(FAR, Math.round(lattice.placeOf(z) / stride))));
  const keys = [...new Set([...lattice.first, ...around(i, j, stride)])];
  /** @type {Map<number, number>} */
  let joint = new Map();
  let added = add(lattice, given, joint, keys) - lattice.first.length;
  for (let level = 0; ; level += 1) {
    added += grow(lattice, given, joint, strideOf(level));
    const { log_px, error } = summed(lattice, joint, strideOf(level));
    const isDone = (level > 0 && error < AGREED) || added > MOST || level === LEVELS;
    if (isDone) return { log_px, error, joint, stride: strideOf(level) };
    const next = halved(joint, strideOf(level));
    joint = next.joint;
    added += add(lattice, given, joint, next.keys);
  }
}

/** The nine points about one. @type {(i: number, j: number, stride: number) => number[]} */
const around = (i, j, stride) =>
  [-stride, 0, stride].flatMap((down) => [-stride, 0, stride].map((right) => keyOf(i + down, j + right)));

/**
 * Puts the values of points into a map, and returns how many.
 *
 * @param {Lattice} lattice
 * @param {Given} given
 * @param {Map<number, number>} joint
 * @param {number[]} keys
 */
function add(lattice, given, joint, keys) {
  for (const [n, value] of lattice.joint(given, keys).entries()) joint.set(keys[n], value);
  return keys.length;
}

/**
 * Adds neighbours until all that is left out is negligible, and returns how many were added.
 *
 * @param {Lattice} lattice
 * @param {Given} given
 * @param {Map<number, number>} joint
 * @param {number} stride
 */
function grow(lattice, given, joint, stride) {
  let added = 0;
  for (;;) {
    const keys = new Set(
      high(joint, stride).flatMap((key) => {
        const [i, j] = placesOf(key);
        return around(i, j, stride);
      }),
    );
    const missing = [...keys].filter((key) => !joint.has(key));
    if (missing.length === 0 || added > MOST) return added;
    added += add(lattice, given, joint, missing);
  }
}

/**
 * The points that are not negligible. A peak as sharp as the highest may lie amid four points, and be so much higher
 * than these as the parabolas through the highest point and its neighbours say.
 *
 * @param {Map<number, number>} joint
 * @param {number} stride
 */
function high(joint, stride) {
  let [best, most] = [0, -Infinity];
  for (const [key, value] of joint) if (value > most) [best, most] = [key, value];
  const [i, j] = placesOf(best);
  const drop = (/** @type {number} */ down, /** @type {number} */ right) =>
    most - ((joint.get(keyOf(i + down, j + right)) ?? most) + (joint.get(keyOf(i - down, j - right)) ?? most)) / 2;
  const least = most - NEGLIGIBLE - (drop(stride, 0) + drop(0, stride)) / 4;
  return [...joint].filter(([, value]) => value > least).map(([key]) => key);
}

/**
 * The sum over all points, and how far those over every second one are from it.
 *
 * @param {Lattice} lattice
 * @param {Map<number, number>} joint
 * @param {number} stride
 */
function summed({ unit }, joint, stride) {
  const most = Math.max(...joint.values());
  const parts = [0, 0, 0, 0];
  for (const [key, value] of joint) {
    const [i, j] = placesOf(key).map((place) => Math.abs(place / stride) % 2);
    parts[2 * i + j] += Math.exp(value - most);
  }
  const all = parts.reduce((sum, part) => sum + part);
  const off = parts.map((part) => Math.log((4 * part) / all) ** 2);
  return {
    log_px: most + Math.log(all) + 2 * Math.log(unit * stride),
    error: Math.sqrt(off.reduce((sum, one) => sum + one) / 4) / 3,
  };
}

/**
 * The next lattice about the points that are not negligible: what is known of it, and what is to be decoded.
 *
 * @param {Map<number, number>} before
 * @param {number} stride of that
 */
function halved(before, stride) {
  const joint = new Map();
  const keys = new Set();
  for (const key of high(before, stride)) {
    const [i, j] = placesOf(key);
    for (const one of around(i, j, stride / 2)) keys.add(one);
  }
  for (const key of keys) if (before.has(key)) joint.set(key, before.get(key));
  return { joint, keys: [...keys].filter((key) => !joint.has(key)) };
}
