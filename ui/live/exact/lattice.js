// Points of a latent plane and what they decode to, kept: with that, log p(x, z) of an image is one sum a point.
//
// The points lie on a square lattice about the prior's mean. Level n has every 2^(LEVELS − n)-th point of the finest
// one in either direction, so that each level holds the one before. A point's key is one number for both its places.

import { AT_ONCE, Rows, total } from "./rows.js";

/** @import { Row } from "./rows.js" */
/**
 * An image of which some pixels may be hidden: these, by their numbers, are 0 in x and are not scored.
 *
 * @typedef {{ x: Float32Array, hidden: number[] }} Given
 */

export const LEVELS = 12;
const CELLS = 24; // of the first level, from the prior's mean to either side; of 16, one posterior in ten was missed
const REACH = 5; // prior standard deviations, as far as the first level goes
const MOST_KEPT = 15_000; // rows, 3 kB each
const ROW = 2 ** 24;

/** @type {(i: number, j: number) => number} */
export const keyOf = (i, j) => i * ROW + j;

/** @type {(key: number) => number[]} both places of a point on the finest lattice */
export function placesOf(key) {
  const i = Math.round(key / ROW);
  return [i, key - i * ROW];
}

/** The points between two neighbours of a level, in steps of the finest. @type {(level: number) => number} */
export const strideOf = (level) => 2 ** (LEVELS - level);

/** A decoder's plane. */
export class Lattice {
  /** @type {Map<number, Row>} by key; the rest holds log p(z), too */
  #rows = new Map();
  /** @type {number[]} */
  first = []; // the keys of the first level

  /** @param {ArrayBuffer} file a decoder of two dimensions */
  constructor(file) {
    this.decoder = new Rows(file);
    this.mean = this.decoder.mean;
    this.std = this.decoder.std;
    this.form = this.decoder.form;
    this.unit = (this.std * REACH) / CELLS / 2 ** LEVELS; // between two points of the finest lattice
    const stride = strideOf(0);
    for (let i = -CELLS; i <= CELLS; i += 1)
      for (let j = -CELLS; j <= CELLS; j += 1) this.first.push(keyOf(i * stride, j * stride));
  }

  /** @type {(place: number) => number} a coordinate of z */
  at(place) {
    return this.mean + this.unit * place;
  }

  /** @type {(z: number) => number} */
  placeOf(z) {
    return (z - this.mean) / this.unit;
  }

  /**
   * log p(x, z) at each of those points, of the visible pixels.
   *
   * @param {Given} given 784 pixels in [0, 1]
   * @param {number[]} keys
   */
  joint({ x, hidden }, keys) {
    this.decode(keys);
    const own = total(x, this.form.own);
    return keys.map((key) => {
      const { slope, rest } = /** @type {Row} */ (this.#rows.get(key));
      let sum = 0;
      for (let i = 0; i < x.length; i += 1) sum += slope[i] * x[i];
      for (const i of hidden) sum -= this.form.rest(slope[i]);
      return sum + rest + own;
    });
  }

  /**
   * Decodes the points among those that are not kept yet.
   *
   * @param {number[]} keys
   */
  decode(keys) {
    const missing = keys.filter((key) => !this.#rows.has(key));
    for (let n = 0; n < missing.length; n += AT_ONCE) this.#decode(missing.slice(n, n + AT_ONCE));
  }

  /** @param {number[]} keys at most AT_ONCE */
  #decode(keys) {
    const points = keys.map((key) => placesOf(key).map((place) => this.at(place)));
    for (const [n, { slope, rest }] of this.decoder.decode(points).entries())
      this.#rows.set(keys[n], { slope, rest: rest + this.decoder.logPrior(points[n]) });
  }

  /** Forgets all but the first level where too much is kept. */
  forget() {
    if (this.#rows.size <= MOST_KEPT) return;
    const first = this.first.flatMap((key) => {
      const row = this.#rows.get(key);
      return row ? [/** @type {[number, Row]} */ ([key, row])] : [];
    });
    this.#rows = new Map(first);
  }
}
