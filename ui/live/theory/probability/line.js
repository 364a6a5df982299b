// Bayes' theorem on one axis: z ~ N(0, 1), and x is w z and noise (T1).

import { integral, logDensity } from "../../space/gaussian.js";

/** @import { Gaussian } from "../../space/gaussian.js" */
/**
 * w: what x makes of z; x: the observation; noise: its standard deviation.
 *
 * @typedef {{ w: number, x: number, noise: number }} Observation
 */

/** @type {Gaussian} */
export const PRIOR = { mu: 0, sigma: 1 };
const FAR = 12; // standard deviations to either side that an integral reaches

/**
 * p(z), p(x|z), p(x, z) and p(z|x) as functions of z, and p(x), all by quadrature. seen: where z explains x best, and how
 * wide about that; is: the posterior in closed form.
 *
 * @param {Observation} observation
 */
export function bayes({ w, x, noise }) {
  const prior = (/** @type {number} */ z) => Math.exp(logDensity(z, PRIOR));
  const likelihood = (/** @type {number} */ z) => Math.exp(logDensity(x, { mu: w * z, sigma: noise }));
  const joint = (/** @type {number} */ z) => prior(z) * likelihood(z);
  const seen = { mu: x / w, sigma: noise / w };
  const is = exactly({ w, x, noise });
  const evidence = over(joint, is);
  const posterior = (/** @type {number} */ z) => joint(z) / evidence;
  const areas = {
    prior: over(prior, PRIOR),
    likelihood: over(likelihood, seen),
    evidence,
    posterior: over(posterior, is),
  };
  return { prior, likelihood, joint, posterior, evidence, seen, is, areas };
}

/**
 * The integral of a function that vanishes as a Gaussian does.
 *
 * @param {(z: number) => number} f
 * @param {Gaussian} like
 */
const over = (f, { mu, sigma }) => integral(f, mu - FAR * sigma, mu + FAR * sigma, 400);

/**
 * The posterior in closed form.
 *
 * @param {Observation} observation
 * @returns {Gaussian}
 */
export function exactly({ w, x, noise }) {
  const precision = 1 + (w / noise) ** 2;
  return { mu: (w * x) / noise ** 2 / precision, sigma: 1 / Math.sqrt(precision) };
}
