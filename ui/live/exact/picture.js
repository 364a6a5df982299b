// The picture of p(z|x) on a plane, and its mean and standard deviation, from the points of a quadrature.

import { keyOf, placesOf } from "./lattice.js";

/** @import { Exact, Q } from "../shared/types.js" */
/** @import { Lattice } from "./lattice.js" */
/** @import { Found } from "./quadrature.js" */

/** @typedef {{ mean: number, std: number, low: number, high: number }} Along all but the tails, from low to high */

const CELLS = 192; // a side, at which a posterior in a window as wide as WIDER is still ten wide
const TAIL = 1e-4; // of the mass that may lie beyond each side
const WIDER = 20; // times as wide as the posterior the picture may become to hold q, too

/**
 * The picture in a window that holds p(z|x), and q to three standard deviations unless it is very much wider.
 *
 * @param {Lattice} lattice
 * @param {Found} found
 * @param {Q} q
 * @returns {Omit<Exact, "log_px" | "uncertainty">}
 */
export function pictured(lattice, found, q) {
  const most = Math.max(...found.joint.values());
  const shares = [...found.joint].map(([key, value]) => ({
    z: placesOf(key).map((place) => lattice.at(place)),
    share: Math.exp(value - most),
  }));
  const cell = lattice.unit * found.stride;
  const axes = [0, 1].map((k) =>
    along(
      shares.map(({ z, share }) => ({ z: z[k], share })),
      cell,
    ),
  );
  const { center, half } = windowOf(axes, q);
  return {
    density: density(lattice, found, center, half, most),
    cells: CELLS,
    center,
    half,
    mean: axes.map(({ mean }) => mean),
    std: axes.map(({ std }) => std),
  };
}

/**
 * What is known of p(z|x) along one axis.
 *
 * @param {{ z: number, share: number }[]} shares
 * @param {number} cell
 * @returns {Along}
 */
function along(shares, cell) {
  const all = shares.reduce((sum, { share }) => sum + share, 0);
  const mean = shares.reduce((sum, { z, share }) => sum + share * z, 0) / all;
  const variance = shares.reduce((sum, { z, share }) => sum + share * (z - mean) ** 2, 0) / all;
  const sorted = shares.toSorted((a, b) => a.z - b.z);
  const end = (/** @type {typeof shares} */ from) => {
    let below = 0;
    for (const { z, share } of from) {
      below += share;
      if (below > TAIL * all) return z;
    }
    return mean;
  };
  return { mean, std: Math.sqrt(variance), low: end(sorted) - cell, high: end(sorted.toReversed()) + cell };
}

/**
 * The middle and half the side of a square.
 *
 * @param {Along[]} axes
 * @param {Q} q
 */
function windowOf(axes, { mu, std }) {
  const own = axes.map(({ low, high }) => [low, high]);
  const withQ = own.map(([low, high], k) => [Math.min(low, mu[k] - 3 * std[k]), Math.max(high, mu[k] + 3 * std[k])]);
  const side = (/** @type {number[][]} */ ends) => Math.max(...ends.map(([low, high]) => high - low));
  const ends = side(withQ) <= WIDER * side(own) ? withQ : own;
  return { center: ends.map(([low, high]) => (low + high) / 2), half: side(ends) / 2 };
}

/**
 * p(z|x) relative to its largest, as bytes, z0 to the right and z1 upwards.
 *
 * @param {Lattice} lattice
 * @param {Found} found
 * @param {number[]} center
 * @param {number} half
 * @param {number} most
 */
function density(lattice, { joint, stride }, center, half, most) {
  const places = center.map((middle) =>
    Array.from({ length: CELLS }, (_, n) => lattice.placeOf(middle + half * ((2 * n) / (CELLS - 1) - 1)) / stride),
  );
  const at = (/** @type {number} */ i, /** @type {number} */ j) =>
    joint.get(keyOf(i * stride, j * stride)) ?? -Infinity;
  const values = new Float64Array(CELLS * CELLS);
  for (let row = 0; row < CELLS; row += 1)
    for (let column = 0; column < CELLS; column += 1) {
      const log = between(at, places[0][column], places[1][CELLS - 1 - row]);
      values[row * CELLS + column] = Math.exp(log - most);
    }
  const largest = values.reduce((a, b) => Math.max(a, b));
  return Uint8Array.from(values, (value) => Math.round((255 * value) / largest));
}

/**
 * A function between the points of a lattice where it is known: as a parabola in either direction, and −∞ in cells of
 * which a corner is not known.
 *
 * @param {(i: number, j: number) => number} at
 * @param {number} a
 * @param {number} b
 */
function between(at, a, b) {
  const [i, j] = [Math.floor(a), Math.floor(b)];
  const [s, t] = [a - i, b - j];
  const [low, right, up, far] = [at(i, j), at(i + 1, j), at(i, j + 1), at(i + 1, j + 1)];
  const flat = (1 - t) * ((1 - s) * low + s * right) + t * ((1 - s) * up + s * far);
  if (!Number.isFinite(flat)) return -Infinity;
  const alongRows =
    bend(at(i - 1, j) - low, at(i + 2, j) - right) + bend(at(i - 1, j + 1) - up, at(i + 2, j + 1) - far);
  const across = bend(at(i, j - 1) - low, at(i, j + 2) - up) + bend(at(i + 1, j - 1) - right, at(i + 1, j + 2) - far);
  return flat - (s * (1 - s) * alongRows + t * (1 - t) * across) / 4;
}

/** The mean second difference within a cell, from how it goes on at both ends; 0 where that is not known. */
const bend = (/** @type {number} */ before, /** @type {number} */ after) =>
  Number.isFinite(before + after) ? (before + after) / 2 : 0;
