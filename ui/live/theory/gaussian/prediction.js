// What the model predicts of the image in hand: the decoder's answer to the mean of q.

import { model } from "../../shared/model.js";
import { bytes } from "../../shared/page.js";
import { logit } from "./pixels.js";

/** @import { Known } from "../image.js" */
/**
 * Of 784 pixels: x, the mean of p(x|z), and the logits of a Bernoulli with that mean.
 *
 * @typedef {{ x: Float32Array, mean: Float64Array, logits: Float64Array }} Prediction
 */

const NEAREST = 1 / 510; // to 0 and to 1, of a mean without logits: half a grey level

/**
 * @param {Known} known
 * @returns {Prediction}
 */
export function predictionOf({ x, q, looked, about }) {
  const decoder = model.about === about ? model.decoder : null;
  if (!decoder) {
    const mean = Float64Array.from(bytes(looked.reconstruction), (value) => value / 255);
    return { x, mean, logits: mean.map(bounded) };
  }
  const z = Float32Array.from(q.mu);
  const mean = Float64Array.from(decoder.decode(z));
  const logits = about.likelihood === "gaussian" ? mean.map(bounded) : Float64Array.from(decoder.params(z));
  return { x, mean, logits };
}

/** @param {number} mean */
const bounded = (mean) => logit(Math.min(1 - NEAREST, Math.max(NEAREST, mean)));
