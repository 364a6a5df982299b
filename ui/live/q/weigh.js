// What a q is worth on a plane, computed in this browser: its ELBO, and by itself its gap from the exact posterior (T14).
//
// The ELBO takes E_q[log p(x|z)] from one set of points and the KL from its closed form. The gap is the mean of
// log q(z) − log p(z|x) over a grid of other points. So their sum is log p(x) only as well as both rules are, and what it
// misses shows how well. vae_core's elbo_of and grid_truth are the reference.

import { formOf } from "../exact/likelihood.js";
import { failed, fileOf } from "../shared/ask.js";
import { readDecoder } from "../shared/decoder.js";
import { addressOf } from "../shared/page.js";
import { kl, logDensity } from "../space/gaussian.js";

/** @import { Answer, Q } from "../shared/types.js" */
/**
 * Points of two standard normal variables, one after the other, and their weights, which sum to 1.
 *
 * @typedef {{ eps: Float64Array, weights: Float64Array }} Rule
 * @typedef {{ terms: Rule, gap: Rule }} Rules of the ELBO, and of the gap
 */
/**
 * Nats. gap: by itself, null as long as log p(x) is not known; misses: ELBO + gap − log p(x), null as long; isFine: it
 * comes from the fine rules.
 *
 * @typedef {{
 *   reconstruction: number, kl: number, elbo: number, gap: number | null, misses: number | null, isFine: boolean,
 * }} Terms
 */

const AT_ONCE = 8; // points that are decoded together: one by one they take twice the time
const STEP = 0.6; // standard deviations between two points of a fine rule
const REACH = 4.2; // standard deviations that it goes to either side

/**
 * The rule for two variables of the points of one.
 *
 * @param {number[]} points
 * @param {number[]} shares of each, up to a factor
 * @returns {Rule}
 */
function squared(points, shares) {
  const all = shares.reduce((sum, one) => sum + one) ** 2;
  return {
    eps: Float64Array.from(points.flatMap((a) => points.flatMap((b) => [a, b]))),
    weights: Float64Array.from(shares.flatMap((a) => shares.map((b) => (a * b) / all))),
  };
}

/**
 * The trapezoid rule, which errs little on a smooth function under a Gaussian.
 *
 * @param {number} shift of its points, in steps
 */
function trapezoid(shift) {
  const count = Math.floor(REACH / STEP);
  const places = Array.from({ length: 2 * count + 1 - (shift ? 1 : 0) }, (_, n) => STEP * (n - count + shift));
  return squared(
    places,
    places.map((at) => Math.exp((-at * at) / 2)),
  );
}

/** For a q that rests: 196 points, and 225 between them. @type {Rules} */
export const FINE = { terms: trapezoid(0.5), gap: trapezoid(0) };

/** For a q that moves, by Gauss and Hermite: 25 points, exact up to the ninth power, and 16, up to the seventh. @type {Rules} */
export const QUICK = {
  terms: squared(
    [-2.8569700138728, -1.3556261799742, 0, 1.3556261799742, 2.8569700138728],
    [0.0112574113277, 0.2220759220056, 0.5333333333333, 0.2220759220056, 0.0112574113277],
  ),
  gap: squared(
    [-2.3344142183389, -0.7419637843027, 0.7419637843027, 2.3344142183389],
    [0.0458758547681, 0.4541241452319, 0.4541241452319, 0.0458758547681],
  ),
};

/**
 * The points of a rule, or draws of N(0, 1), as z of a q.
 *
 * @param {Q} q
 * @param {ArrayLike<number>} eps
 */
export const placed = ({ mu, std }, eps) => Float64Array.from(eps, (value, i) => mu[i % 2] + std[i % 2] * value);

/** The decoder of a plane, which decodes several points at once. */
export class Plane {
  #block = new Float32Array(2 * AT_ONCE);

  /** @param {ArrayBuffer} file a decoder of two dimensions */
  constructor(file) {
    const { about, params } = readDecoder(file, AT_ONCE);
    this.params = params;
    this.form = formOf(about);
    this.prior = { mu: about.prior_mean, sigma: about.prior_std };
  }

  /**
   * log p(x|z) of each point, in steps that each decode a few of them.
   *
   * @param {Float32Array} x 784 pixels in [0, 1]
   * @param {Float64Array} z
   * @returns {Generator<void, Float64Array>}
   */
  *logLikelihood(x, z) {
    const { factor, rest, own } = this.form;
    const found = new Float64Array(z.length / 2).fill(x.reduce((sum, value) => sum + own(value), 0));
    for (let at = 0; at < found.length; at += AT_ONCE) {
      this.#block.set(z.subarray(2 * at, 2 * (at + AT_ONCE)));
      const params = this.params(this.#block);
      for (let n = 0; n < AT_ONCE && at + n < found.length; n += 1) {
        const first = x.length * n;
        for (let i = 0; i < x.length; i += 1) {
          const slope = factor * params[first + i];
          found[at + n] += slope * x[i] + rest(slope);
        }
      }
      yield;
    }
    return found;
  }

  /** log p(z) of the n-th point. @param {Float64Array} z @param {number} n */
  logPrior(z, n) {
    return logDensity(z[2 * n], this.prior) + logDensity(z[2 * n + 1], this.prior);
  }

  /**
   * log p(x, z)/q(z) at the z that q makes of this noise (T13).
   *
   * @param {Float32Array} x
   * @param {Q} q
   * @param {ArrayLike<number>} eps
   * @returns {Generator<void, Float64Array>}
   */
  *logWeights(x, q, eps) {
    const z = placed(q, eps);
    const logs = yield* this.logLikelihood(x, z);
    return logs.map((log, n) => log + this.logPrior(z, n) - logOf(q, z, n));
  }
}

/** log q(z) of the n-th point. @param {Q} q @param {Float64Array} z @param {number} n */
const logOf = ({ mu, std }, z, n) =>
  logDensity(z[2 * n], { mu: mu[0], sigma: std[0] }) + logDensity(z[2 * n + 1], { mu: mu[1], sigma: std[1] });

/**
 * Weighs a q, in steps.
 *
 * @param {Plane} plane
 * @param {Float32Array} x 784 pixels in [0, 1]
 * @param {Q} q
 * @param {number | null} log_px log p(x), of another quadrature
 * @param {Rules} rules
 * @returns {Generator<void, Terms>}
 */
export function* weigh(plane, x, q, log_px, rules) {
  const logs = yield* plane.logLikelihood(x, placed(q, rules.terms.eps));
  const reconstruction = mean(logs, rules.terms.weights);
  const cost = [0, 1].reduce((sum, j) => sum + kl({ mu: q.mu[j], sigma: q.std[j] }, plane.prior), 0);
  const elbo = reconstruction - cost;
  const isFine = rules === FINE;
  if (log_px === null) return { reconstruction, kl: cost, elbo, gap: null, misses: null, isFine };
  const weights = yield* plane.logWeights(x, q, rules.gap.eps);
  const gap = mean(
    weights.map((log) => log_px - log), // log q(z) − log p(z|x)
    rules.gap.weights,
  );
  return { reconstruction, kl: cost, elbo, gap, misses: elbo + gap - log_px, isFine };
}

/** @param {Float64Array} values @param {Float64Array} weights */
const mean = (values, weights) => values.reduce((sum, value, n) => sum + weights[n] * value, 0);

/**
 * What a generator returns, all of it at once.
 *
 * @template T
 * @param {Generator<void, T>} steps
 * @returns {T}
 */
export function atOnce(steps) {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** @type {Map<string, Promise<Answer<{ plane: Plane }>>>} */
const planes = new Map(); // the last ones, by model and version

const KEPT = 2;

/**
 * The plane of a model.
 *
 * @param {string} id
 * @param {string} version of its weights
 */
export function planeOf(id, version) {
  const key = `${id} ${version}`;
  const found = planes.get(key) ?? loaded(id);
  planes.delete(key);
  planes.set(key, found);
  found.then((answer) => failed(answer) && planes.delete(key)); // the next one who asks has it fetched again
  for (const old of [...planes.keys()].slice(0, -KEPT)) planes.delete(old);
  return found;
}

/**
 * @param {string} id
 * @returns {Promise<Answer<{ plane: Plane }>>}
 */
async function loaded(id) {
  const answer = await fileOf(addressOf(`live/models/${encodeURIComponent(id)}/decoder`));
  return failed(answer) ? answer : { plane: new Plane(await answer.file.arrayBuffer()) };
}
