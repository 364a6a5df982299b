// log p(x|z) of a whole image, from what the decoder says of z: linear in x, but for what depends on x or z alone.

/** @import { About } from "../shared/decoder.js" */

/**
 * With the decoder's parameters of z: log p(x|z) = slope · x + rest + own(x). The slope is written over the parameters.
 *
 * @typedef {{ split: (params: Float32Array) => number, own: (x: Float32Array) => number }} Form split returns the rest
 */

const NEAR_ZERO = 1e-2; // logits for which a continuous Bernoulli's constant is taken from its series

/** @type {(l: number) => number} */
const softplus = (l) => Math.max(0, l) + Math.log1p(Math.exp(-Math.abs(l)));

/** log C(l) of a continuous Bernoulli, with C(l) = l / tanh(l/2). @type {(l: number) => number} */
const logC = (l) =>
  Math.abs(l) < NEAR_ZERO ? Math.LN2 + l ** 2 / 12 - (7 * l ** 4) / 1440 : Math.log(l / Math.tanh(l / 2));

/** @type {(values: Float32Array, f: (value: number) => number) => number} */
function total(values, f) {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += f(values[i]);
  return sum;
}

/** @type {Record<About["likelihood"], (sigma: number) => Form>} */
const FORMS = {
  bernoulli: () => ({ split: (logits) => -total(logits, softplus), own: () => 0 }),

  continuous_bernoulli: () => ({ split: (logits) => total(logits, (l) => logC(l) - softplus(l)), own: () => 0 }),

  gaussian(sigma) {
    const squares = (/** @type {Float32Array} */ values) => total(values, (value) => value * value) / sigma ** 2 / 2;
    const constant = Math.log(sigma) + 0.5 * Math.log(2 * Math.PI);
    return {
      split(mean) {
        const rest = -squares(mean) - mean.length * constant;
        for (let i = 0; i < mean.length; i += 1) mean[i] /= sigma ** 2;
        return rest;
      },
      own: (x) => -squares(x),
    };
  },
};

/**
 * The form of a decoder's likelihood.
 *
 * @param {About} about
 */
export const formOf = ({ likelihood, sigma }) => FORMS[likelihood](sigma ?? 1);
