// The steps from the KL of two Gaussians as an integral to its closed form, each by quadrature as it is written (T7).

import { expectation, logDensity } from "../../space/gaussian.js";

/** @import { Gaussian } from "../../space/gaussian.js" */

const LOG_2PI = Math.log(2 * Math.PI);

/**
 * −KL(q‖p) in nats as each of the equations (31) to (39) has it, under the names eq31 to eq39, and as (40) has it for
 * the prior N(0, 1).
 *
 * Source: Odaibo (2019), arXiv:1907.08956.
 *
 * @param {Gaussian} q
 * @param {Gaussian} p
 * @returns {Record<string, number>}
 */
export function steps(q, p) {
  const mean = (/** @type {(z: number) => number} */ f) => expectation(q, f);
  const fromP = (/** @type {number} */ z) => (z - p.mu) ** 2 / (2 * p.sigma ** 2);
  const fromQ = (/** @type {number} */ z) => (z - q.mu) ** 2 / (2 * q.sigma ** 2);
  const log = Math.log(q.sigma / p.sigma);
  const apart = q.mu - p.mu;
  const square = mean((z) => (z - p.mu) ** 2) / (2 * p.sigma ** 2);
  const own = mean((z) => (z - q.mu) ** 2);
  const opened = own + 2 * apart * mean((z) => z - q.mu) + apart ** 2;
  return {
    eq31: mean((z) => logDensity(z, p) - logDensity(z, q)),
    eq32: mean((z) => -LOG_2PI / 2 - Math.log(p.sigma) - fromP(z) + LOG_2PI / 2 + Math.log(q.sigma) + fromQ(z)),
    eq33: mean((z) => -Math.log(p.sigma) - fromP(z) + Math.log(q.sigma) + fromQ(z)),
    eq34: mean((z) => log - fromP(z) + fromQ(z)),
    eq35: log + mean((z) => fromQ(z) - fromP(z)),
    eq36: log - square + own / (2 * q.sigma ** 2),
    eq37: log - square + 0.5,
    eq38: log - opened / (2 * p.sigma ** 2) + 0.5,
    eq39: log - (q.sigma ** 2 + apart ** 2) / (2 * p.sigma ** 2) + 0.5,
    eq40: 0.5 * (1 + Math.log(q.sigma ** 2) - q.sigma ** 2 - q.mu ** 2),
  };
}

/**
 * KL(q‖p) as the mean of log q(z) − log p(z) over draws of q.
 *
 * @param {Gaussian} q
 * @param {Gaussian} p
 * @param {ArrayLike<number>} eps draws of N(0, 1)
 */
export function byDraws(q, p, eps) {
  let sum = 0;
  for (let n = 0; n < eps.length; n += 1) {
    const z = q.mu + q.sigma * eps[n];
    sum += logDensity(z, q) - logDensity(z, p);
  }
  return sum / eps.length;
}
