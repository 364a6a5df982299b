// log p̂(x) = log (1/n) Σ p(x|z) p(z) / r(z) for z ~ r, as n grows: running sums that never overflow (T12).
// vae_core/evaluation/evaluate.py is the reference.

import { AT_ONCE } from "../../exact/rows.js";
import { logDensity } from "../../space/gaussian.js";
import { normal } from "../../space/normal.js";

/** @import { Rows } from "../../exact/rows.js" */
/** @import { Q } from "../../shared/types.js" */

/**
 * What n draws come to. log_px: nats; effective: the effective sample size, (Σ w)² / Σ w².
 *
 * @typedef {{ log_px: number, effective: number }} After
 */

/**
 * Draws of both kinds: their weights, and where they lie.
 *
 * @typedef {{ prior: Draws, q: Draws, places: { prior: number[][], q: number[][] } }} Drawn
 */

const CARRIES = 0.95; // of the sum

/** The log-weights of draws, in their order. */
export class Draws {
  /** @type {number[]} */
  #logs = [];
  /** @type {After[]} */
  #after = [];
  #most = -Infinity;
  #sum = 0; // of w, relative to the largest
  #squares = 0; // of w², the same

  get count() {
    return this.#logs.length;
  }

  /** @param {number} log of a weight */
  add(log) {
    this.#logs.push(log);
    if (log > this.#most) {
      const shrunk = Math.exp(this.#most - log);
      this.#sum *= shrunk;
      this.#squares *= shrunk ** 2;
      this.#most = log;
    }
    const w = Math.exp(log - this.#most);
    this.#sum += w;
    this.#squares += w ** 2;
    this.#after.push({
      log_px: this.#most + Math.log(this.#sum / this.count),
      effective: this.#sum ** 2 / this.#squares,
    });
  }

  /**
   * What the first n come to.
   *
   * @param {number} n from 1 to count
   */
  after(n) {
    return this.#after[n - 1];
  }

  /**
   * The fewest of the first n that carry 95 % of the sum, by their numbers.
   *
   * @param {number} n
   */
  carriers(n) {
    const numbers = Array.from({ length: n }, (_, k) => k).sort((a, b) => this.#logs[b] - this.#logs[a]);
    const most = this.#logs[numbers[0]];
    const weight = (/** @type {number} */ k) => Math.exp(this.#logs[k] - most);
    const all = numbers.reduce((sum, k) => sum + weight(k), 0);
    let sum = 0;
    let few = 0;
    for (; few < n && sum < CARRIES * all; few += 1) sum += weight(numbers[few]);
    return numbers.slice(0, few);
  }
}

/** @returns {Drawn} */
export const nothing = () => ({ prior: new Draws(), q: new Draws(), places: { prior: [], q: [] } });

/**
 * Draws from the prior and from q by turns, some at a time, until there are enough.
 *
 * @param {Rows} rows
 * @param {{ x: Float32Array, q: Q }} of
 * @param {Drawn} drawn takes them
 * @param {number} most of each
 * @param {() => number} [noise] draws of N(0, 1)
 */
export function* drawing(rows, { x, q }, drawn, most, noise = normal) {
  const score = rows.scorer(x);
  const prior = { mu: q.mu.map(() => rows.mean), std: q.mu.map(() => rows.std) };
  while (drawn.q.count < most)
    for (const [name, from] of /** @type {[keyof Drawn["places"], Q][]} */ ([
      ["prior", prior],
      ["q", q],
    ])) {
      const points = Array.from({ length: AT_ONCE }, () => from.mu.map((mu, k) => mu + from.std[k] * noise()));
      for (const [n, row] of rows.decode(points).entries())
        drawn[name].add(score(row) + rows.logPrior(points[n]) - logOf(points[n], from));
      drawn.places[name].push(...points);
      yield;
    }
}

/**
 * log of a diagonal Gaussian's density.
 *
 * @param {number[]} z
 * @param {Q} of
 */
function logOf(z, { mu, std }) {
  const each = z.map((value, k) => logDensity(value, { mu: mu[k], sigma: std[k] }));
  return each.reduce((sum, log) => sum + log);
}
