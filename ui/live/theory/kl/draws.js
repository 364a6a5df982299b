// Draws from q, held as ε so that z = μ + σε follows while q is dragged, and what is averaged over them.

import { logDensity } from "../../space/gaussian.js";
import { normal } from "../../space/normal.js";

/** @import { Gaussian } from "../../space/gaussian.js" */

/** Draws: `eps`, and what follows from them. */
export class Draws {
  eps = new Float64Array(0);

  /** @param {number} count */
  constructor(count) {
    this.count = count;
    this.draw();
  }

  /** Other draws. */
  draw() {
    this.eps = Float64Array.from({ length: this.count }, normal);
  }

  /**
   * z of the first n draws.
   *
   * @param {Gaussian} q
   * @param {number} [n]
   */
  of({ mu, sigma }, n = this.count) {
    return this.eps.subarray(0, n).map((eps) => mu + sigma * eps);
  }

  /**
   * log t = log p(z) − log q(z) at the first n draws.
   *
   * @param {Gaussian} q
   * @param {Gaussian} p
   * @param {number} [n]
   */
  logRatios(q, p, n = this.count) {
    return this.of(q, n).map((z) => logDensity(z, p) - logDensity(z, q));
  }
}

/** @param {Float64Array} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The standard error of a mean; null for a single value, which says nothing of it.
 *
 * @param {Float64Array} values
 */
export function standardError(values) {
  if (values.length < 2) return null;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
