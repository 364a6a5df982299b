// The images of a batch that are looked at, one by one.

import { bytes, SIDE } from "../shared/page.js";

/** @import { Batch, Q } from "../shared/types.js" */
/**
 * An image x and what became of it. draws, eps: z and ε of each draw, terms: its log p(x|z), and made: what it decodes
 * to; reconstruction: the mean of log p(x|z) over all L draws (samples); reach: what pictures of q go to, either way.
 *
 * @typedef {{
 *   x: Uint8Array, q: Q, reach: number, samples: number, draws: number[][], eps: number[][], terms: number[],
 *   made: Uint8Array[], reconstruction: number, kl: number,
 * }} Image
 */

const LEAST = 3; // of reach: most of the prior

/**
 * @param {Batch} batch
 * @returns {Image[]}
 */
export function imagesOf(batch) {
  const { mu, std, draws, eps, terms, reconstructions, kls, samples } = batch;
  const [seen, made] = [bytes(batch.x), bytes(batch.x_hat)];
  const picture = (/** @type {Uint8Array} */ all, /** @type {number} */ n) =>
    all.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE);
  const ends = mu.map((each, n) => far(each.map((m, j) => Math.abs(m) + std[n][j])));
  const reach = Math.max(LEAST, ...ends, ...draws.flatMap((draw) => draw.map(far)));
  return mu.map((each, n) => ({
    x: picture(seen, n),
    q: { mu: each, std: std[n] },
    reach,
    samples,
    draws: draws.map((draw) => draw[n]),
    eps: eps.map((draw) => draw[n]),
    terms: terms.map((of) => of[n]),
    made: draws.map((_, l) => picture(made, l * mu.length + n)),
    reconstruction: reconstructions[n],
    kl: kls[n],
  }));
}

/** @param {number[]} values */
const far = (values) => Math.max(0, ...values.map(Math.abs).filter(Number.isFinite));
