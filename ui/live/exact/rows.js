// Points of latent space and what they decode to: with that, log p(x|z) of an image is one sum for each point.

import { readDecoder } from "../shared/decoder.js";
import { formOf } from "./likelihood.js";

/**
 * Of a point: log p(x|z) = slope · x + rest + what depends on x alone.
 *
 * @typedef {{ slope: Float32Array, rest: number }} Row
 */

export const AT_ONCE = 8; // points that are decoded together

/** @type {(values: Float32Array, f: (value: number) => number) => number} */
export function total(values, f) {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += f(values[i]);
  return sum;
}

/** A decoder that scores images. */
export class Rows {
  #params;

  /** @param {ArrayBuffer} file of a decoder */
  constructor(file) {
    const { about, params } = readDecoder(file, AT_ONCE);
    this.#params = params;
    this.dims = about.latent_dim;
    this.mean = about.prior_mean;
    this.std = about.prior_std;
    this.form = formOf(about);
  }

  /**
   * Decodes points.
   *
   * @param {ArrayLike<number>[]} points at most AT_ONCE
   * @returns {Row[]}
   */
  decode(points) {
    const z = new Float32Array(this.dims * AT_ONCE);
    for (const [n, point] of points.entries()) z.set(point, this.dims * n);
    const all = this.#params(z);
    return points.map((_, n) => {
      const slope = all.slice(784 * n, 784 * (n + 1)).map((param) => this.form.factor * param);
      return { slope, rest: total(slope, this.form.rest) };
    });
  }

  /**
   * log p(z), nats.
   *
   * @param {ArrayLike<number>} z
   */
  logPrior(z) {
    let sum = -this.dims * (Math.log(this.std) + 0.5 * Math.log(2 * Math.PI));
    for (let k = 0; k < this.dims; k += 1) sum -= ((z[k] - this.mean) / this.std) ** 2 / 2;
    return sum;
  }

  /**
   * Of an image, the function that gives log p(x|z) from a row, in nats.
   *
   * @param {Float32Array} x 784 pixels in [0, 1]
   */
  scorer(x) {
    const own = total(x, this.form.own);
    return (/** @type {Row} */ { slope, rest }) => {
      let sum = 0;
      for (let i = 0; i < x.length; i += 1) sum += slope[i] * x[i];
      return sum + rest + own;
    };
  }
}
