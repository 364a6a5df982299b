// log p(x|z) and its slope along z, by a decoder of two dimensions in this browser: from four points about z, decoded
// together, so that every kind of decoder will do. vae_core/evaluation/gradients.py is the reference.

import { formOf } from "../../exact/likelihood.js";
import { failed, fileOf } from "../../shared/ask.js";
import { readDecoder } from "../../shared/decoder.js";
import { addressOf } from "../../shared/page.js";

/** @typedef {{ log_px: number, slope: number[] }} Slope nats, and nats per unit of z */
/** @typedef {(z: number[]) => Slope} SlopeAt */

const APART = 3e-4; // of z: farther and a network of ReLUs bends between them, nearer and float32 is too coarse

/** A decoder that knows its slopes. */
export class Slopes {
  /** @param {ArrayBuffer} file of the decoder */
  constructor(file) {
    const { about, params } = readDecoder(file, 4);
    this.params = params;
    this.form = formOf(about);
  }

  /**
   * The slope at each z for one image.
   *
   * @param {Float32Array} x 784 values in [0, 1]
   * @returns {SlopeAt}
   */
  of(x) {
    const { factor, rest, own } = this.form;
    const alone = x.reduce((sum, value) => sum + own(value), 0);
    return ([a, b]) => {
      const all = this.params(Float32Array.of(a + APART, b, a - APART, b, a, b + APART, a, b - APART));
      const [right, left, up, down] = [0, 1, 2, 3].map((n) => {
        let sum = alone;
        for (let i = 0; i < x.length; i += 1) {
          const slope = factor * all[784 * n + i];
          sum += slope * x[i] + rest(slope);
        }
        return sum;
      });
      return {
        log_px: (right + left + up + down) / 4,
        slope: [(right - left) / (2 * APART), (up - down) / (2 * APART)],
      };
    };
  }
}

/**
 * The slopes of a model's decoder; null where it does not come.
 *
 * @param {string} id
 */
export async function slopesOf(id) {
  const answer = await fileOf(addressOf(`live/models/${encodeURIComponent(id)}/decoder`));
  return failed(answer) ? null : new Slopes(await answer.file.arrayBuffer());
}
