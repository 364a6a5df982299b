// What each pixel adds to log p(x|z), under three likelihoods of the same prediction (T19). vae_core/densities.py is
// the reference.

import { formOf } from "../../exact/likelihood.js";

/** @import { About } from "../../shared/decoder.js" */
/** @import { Prediction } from "./prediction.js" */
/** @typedef {About["likelihood"]} Name */

const PIXELS = 784;

/**
 * log p of a pixel, nats.
 *
 * @param {Name} likelihood
 * @param {number} x in [0, 1]
 * @param {number} param a logit, or the mean of a Gaussian
 * @param {number} [sigma] of a Gaussian
 */
export function logOf(likelihood, x, param, sigma = 1) {
  const { factor, rest, own } = formOf(/** @type {About} */ ({ likelihood, sigma }));
  const slope = factor * param;
  return slope * x + rest(slope) + own(x);
}

/**
 * log p of every pixel of an image.
 *
 * @param {Name} likelihood
 * @param {Prediction} of
 * @param {number} sigma
 */
export function logsOf(likelihood, { x, mean, logits }, sigma) {
  const params = likelihood === "gaussian" ? mean : logits;
  return Float64Array.from(x, (value, i) => logOf(likelihood, value, params[i], sigma));
}

/** @param {ArrayLike<number>} values */
export const total = (values) => Array.from(values).reduce((sum, value) => sum + value, 0);

/**
 * ‖x − x̂‖².
 *
 * @param {Prediction} of
 */
export const squaredError = ({ x, mean }) => total(x.map((value, i) => (value - mean[i]) ** 2));

/** The log-density of an image that a Gaussian predicts without an error. @type {(sigma: number) => number} */
export const ceiling = (sigma) => (-PIXELS / 2) * Math.log(2 * Math.PI * sigma ** 2);

/** The logit of a probability. @type {(p: number) => number} */
export const logit = (p) => Math.log(p / (1 - p));
