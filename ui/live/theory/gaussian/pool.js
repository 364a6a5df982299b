// What single draws tell of estimates that average L of them (T10).

import { formOf } from "../../exact/likelihood.js";
import { normal } from "../../space/normal.js";

/** @import { Decoder } from "../../shared/decoder.js" */
/** @import { Q } from "../../shared/types.js" */

/** @param {ArrayLike<number>} values */
export const mean = (values) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The standard deviation of a sample; NaN of fewer than two values.
 *
 * @param {ArrayLike<number>} values
 */
export function spread(values) {
  const middle = mean(values);
  const squares = Array.from(values).reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : Number.NaN;
}

/**
 * The means of L values each, none of which is used twice.
 *
 * @param {number[]} values
 * @param {number} draws L
 */
export const estimates = (values, draws) =>
  Array.from({ length: Math.floor(values.length / draws) }, (_, n) => mean(values.slice(n * draws, (n + 1) * draws)));

/**
 * The standard deviation of the mean of B images' estimates from L draws each: what is due to the draws, and what to
 * the choice of the images.
 *
 * @param {{ elbos: number[], scatter: number[] }} batch scatter: of each image, the standard deviation of one draw
 * @param {number} images B
 * @param {number} draws L
 */
export function ofBatch({ elbos, scatter }, images, draws) {
  const variance = mean(scatter.map((value) => value ** 2));
  return { of_draws: Math.sqrt(variance / (images * draws)), of_images: spread(elbos) / Math.sqrt(images) };
}

/**
 * log p(x|z) of a draw of q.
 *
 * @param {Decoder} decoder
 * @param {Float32Array} x
 * @param {Q} q
 */
export function drawn({ about, params }, x, { mu, std }) {
  const { factor, rest, own } = formOf(about);
  const answer = params(Float32Array.from(mu, (value, j) => value + std[j] * normal()));
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) {
    const slope = factor * answer[i];
    sum += slope * x[i] + rest(slope) + own(x[i]);
  }
  return sum;
}
