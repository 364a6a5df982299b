// log p(x|z), from what the decoder says of z: in each pixel linear in x, but for what depends on x or z alone.

/** @import { About } from "../shared/decoder.js" */

/**
 * Of each pixel, with the decoder's parameter: log p(x|z) = slope · x + rest(slope) + own(x), and slope = factor · parameter.
 *
 * @typedef {{ factor: number, rest: (slope: number) => number, own: (x: number) => number }} Form own(0) is 0
 */

const NEAR_ZERO = 1e-2; // logits for which a continuous Bernoulli's constant is taken from its series

/** @type {(l: number) => number} */
const softplus = (l) => Math.max(0, l) + Math.log1p(Math.exp(-Math.abs(l)));

/** log C(l) of a continuous Bernoulli, with C(l) = l / tanh(l/2). @type {(l: number) => number} */
const logC = (l) =>
  Math.abs(l) < NEAR_ZERO ? Math.LN2 + l ** 2 / 12 - (7 * l ** 4) / 1440 : Math.log(l / Math.tanh(l / 2));

/** @type {Record<About["likelihood"], (sigma: number) => Form>} */
const FORMS = {
  bernoulli: () => ({ factor: 1, rest: (l) => -softplus(l), own: () => 0 }),

  continuous_bernoulli: () => ({ factor: 1, rest: (l) => logC(l) - softplus(l), own: () => 0 }),

  gaussian(sigma) {
    const constant = Math.log(sigma) + 0.5 * Math.log(2 * Math.PI);
    return {
      factor: 1 / sigma ** 2,
      rest: (slope) => -((slope * sigma) ** 2) / 2 - constant,
      own: (x) => -((x / sigma) ** 2) / 2,
    };
  },
};

/**
 * The form of a decoder's likelihood.
 *
 * @param {About} about
 */
export const formOf = ({ likelihood, sigma }) => FORMS[likelihood](sigma ?? 1);
