// The recorded training, which checkpoints/motion.py makes and describes: all of about forty steps, and curves of each.

import { failed, fileOf } from "../../shared/ask.js";
import { addressOf } from "../../shared/page.js";
import { readTensors, row } from "../parts/tensors.js";

/** @import { Answer } from "../../shared/types.js" */
/** @import { Tensor } from "../parts/tensors.js" */
/**
 * What is kept of a step. images: of its batch; x: some of them, 784 grey bytes each, of which the first is followed;
 * means: μ of many of them; gradients: of −log p(x|z) and of the KL of the followed image; moved: ‖Δθ‖/‖θ‖ of each
 * layer; after: q of the followed image, and the batch's loss with the same noise, by the new weights; made: 784 bytes
 * of each held-out image's reconstruction by them. Terms are in nats.
 *
 * @typedef {{ mu: number[], sigma: number[] }} Pair
 * @typedef {{
 *   step: number, images: number, x: Uint8Array[], means: number[][], q: Pair, eps: number[], z: number[],
 *   logits: Float32Array | Uint8Array, error: number, kl: number,
 *   gradients: { reconstruction: Pair, kl: Pair }, moved: number[],
 *   after: { q: Pair, loss: number }, made: Uint8Array[],
 * }} Shot
 * @typedef {{ loss: Float32Array, error: Float32Array, kl: Float32Array }} Curves by step; error: −log p(x|z)
 * @typedef {{
 *   shots: Shot[], curves: Curves, test: Uint8Array[], settings: Record<string, string | number>,
 *   layers: { in: number, out: number }[],
 * }} Recording
 */

const PIXELS = 784;

/** @returns {Promise<Answer<{ recording: Recording }>>} */
export async function fetchRecording() {
  const answer = await fileOf(addressOf("live/lessons/motion.safetensors"));
  return failed(answer) ? answer : { recording: readRecording(await answer.file.arrayBuffer()) };
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {Recording}
 */
export function readRecording(buffer) {
  const { metadata, tensors } = readTensors(buffer);
  const float = (/** @type {string} */ name) => /** @type {Float32Array} */ (tensors[name].data);
  return {
    shots: Array.from({ length: tensors.step.shape[0] }, (_, n) => shot(tensors, n)),
    curves: { loss: float("loss"), error: float("reconstruction").map((value) => -value), kl: float("kl_of_batch") },
    test: rows(/** @type {Uint8Array} */ (tensors.test.data), PIXELS),
    settings: JSON.parse(metadata.settings),
    layers: JSON.parse(metadata.layers),
  };
}

/**
 * @param {Record<string, Tensor>} tensors
 * @param {number} n
 * @returns {Shot}
 */
function shot(tensors, n) {
  const of = (/** @type {string} */ name) => row(tensors[name], n);
  const [mu, logvar] = [[...of("mu")], of("logvar")];
  const dims = mu.length;
  const [toMu, toSigma, klToMu, klToSigma] = rows(of("gradient"), dims).map((part) => [...part]);
  const [muAfter, logvarAfter] = rows(of("after"), dims);
  return {
    step: of("step")[0],
    images: of("images")[0],
    x: rows(of("x"), PIXELS / 8).map(bits),
    means: rows(of("means"), dims).map((part) => [...part]),
    q: { mu, sigma: widths(logvar) },
    eps: [...of("eps")],
    z: [...of("z")],
    logits: of("logits"),
    error: -of("log_px_z")[0],
    kl: of("kl")[0],
    gradients: { reconstruction: { mu: toMu, sigma: toSigma }, kl: { mu: klToMu, sigma: klToSigma } },
    moved: [...of("moved")],
    after: { q: { mu: [...muAfter], sigma: widths(logvarAfter) }, loss: of("loss_after")[0] },
    made: rows(/** @type {Uint8Array} */ (of("made")), PIXELS),
  };
}

/** @param {Iterable<number>} logvar */
const widths = (logvar) => Array.from(logvar, (value) => Math.exp(value / 2));

/**
 * @template {Float32Array | Uint8Array} T
 * @param {T} data
 * @param {number} size of each row
 * @returns {T[]}
 */
const rows = (data, size) =>
  Array.from({ length: data.length / size }, (_, n) => /** @type {T} */ (data.subarray(n * size, (n + 1) * size)));

/**
 * Pixels of a bit each as grey bytes.
 *
 * @param {Float32Array | Uint8Array} packed the first pixel is the highest bit
 */
const bits = (packed) =>
  Uint8Array.from({ length: PIXELS }, (_, n) => ((packed[n >> 3] >> (7 - (n & 7))) & 1 ? 255 : 0));

/**
 * The probabilities of the pixels of x, as the decoder gives them.
 *
 * @param {Shot} shot
 */
export const probabilities = ({ logits }) => Float32Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));

/**
 * −log p of each pixel of the followed image, nats: log(1 + e^l) − x l.
 *
 * @param {Shot} shot
 */
export const costs = ({ logits, x: [x] }) =>
  Float32Array.from(logits, (l, n) => Math.max(l, 0) + Math.log1p(Math.exp(-Math.abs(l))) - (x[n] ? l : 0));

/**
 * The gradient of the loss of the followed image: the sum of those of its terms.
 *
 * @param {Shot} shot
 * @returns {Pair}
 */
export function gradient({ gradients: { reconstruction, kl } }) {
  const sum = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.map((value, j) => value + b[j]);
  return { mu: sum(reconstruction.mu, kl.mu), sigma: sum(reconstruction.sigma, kl.sigma) };
}
