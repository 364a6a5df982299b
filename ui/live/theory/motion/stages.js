// What is said of each stage of a step, and the tensors that it makes: their shapes and values.

import { minus } from "../../shared/page.js";
import { gradient, probabilities } from "./recording.js";

/** @import { Recording, Shot } from "./recording.js" */
/**
 * label, value: with formulas between dollar signs; parts: the value in parts, each in the colour of its term; share: 0
 * to 1, a bar below it.
 *
 * @typedef {{ label: string, value?: string, parts?: { text: string, term?: string }[], share?: number }} Cell
 * @typedef {{ name: string, says: string, cells: (shot: Shot, recording: Recording) => Cell[] }} Stage
 */

const MOST_MOVED = 0.1; // of a layer's weights: a full bar

/** @param {number} value */
export const two = (value) => minus(value.toFixed(2));
/** @param {number[]} values */
export const vector = (values) => `(${values.map(two).join(", ")})`;
/** @param {number} value */
export const near = (value) => Number(value.toFixed(2));
/** @param {number} value */
const percent = (value) => (value < 5e-5 ? "under 0.01 %" : `${(100 * value).toFixed(2)} %`);

/** @type {Stage[]} */
export const STAGES = [
  {
    name: "pick",
    says: "Pick a batch of training images at random. Each pixel becomes white with its grey value as the chance. We follow the first image.",
    cells: ({ images, x: [x] }) => [
      { label: "batch", value: `${images} × 784` },
      { label: "$x$, followed", value: `784 pixels, ${x.filter(Boolean).length} of them white` },
    ],
  },
  {
    name: "encode",
    says: "The encoder reads x and answers with a Gaussian q(z|x): the ellipse. It gives a mean and a width for each dimension of z.",
    cells: ({ images, q }) => [
      { label: `$\\mu$, ${images} × 2`, value: vector(q.mu) },
      { label: `$\\sigma$, ${images} × 2`, value: vector(q.sigma) },
    ],
  },
  {
    name: "draw ε",
    says: "Draw ε from N(0, 1), and shift and stretch it by μ and σ. The chance is in ε alone, so a gradient can pass through z to μ and σ.",
    cells: ({ images, eps, z }) => [
      { label: `$\\varepsilon$, ${images} × 2`, value: vector(eps) },
      { label: "$z = \\mu + \\sigma\\odot\\varepsilon$", value: vector(z) },
    ],
  },
  {
    name: "decode",
    says: "The decoder reads z and answers with a probability for every pixel: how likely it is to be white.",
    cells: (shot) => {
      const made = probabilities(shot);
      const range = `${two(Math.min(...made))} to ${two(Math.max(...made))}`;
      return [{ label: `$\\hat x$, ${shot.images} × 784`, value: `784 probabilities from ${range}` }];
    },
  },
  {
    name: "loss",
    says: "Every pixel costs −log of the probability of what it is (bright: dear). The KL charges for q’s distance from the prior. The batch takes the mean.",
    cells: ({ error, kl }) => [
      { label: "784 pixels", parts: [{ text: two(error), term: "reconstruction" }] },
      { label: "+ KL", parts: [{ text: two(kl), term: "kl" }] },
      { label: "= loss of this image", parts: [{ text: two(near(error) + near(kl)), term: "loss" }] },
    ],
  },
  {
    name: "gradient",
    says: "Autograd goes back through all of it. Arrows point downhill for μ and σ: blue is what the pixels want, pink what the KL wants, the broad one both.",
    cells: (shot) => {
      const { reconstruction, kl } = shot.gradients;
      const sums = gradient(shot);
      return [
        { label: "$\\partial/\\partial\\mu$", parts: added(reconstruction.mu, kl.mu, sums.mu) },
        { label: "$\\partial/\\partial\\sigma$", parts: added(reconstruction.sigma, kl.sigma, sums.sigma) },
      ];
    },
  },
  {
    name: "update",
    says: "Adam moves every weight of both networks a little, against the gradient of the batch. Dashed: q of the same image by the new weights.",
    cells: ({ moved, after, step }, { layers, curves }) => [
      ...layers.map((layer, n) => ({
        label: `${layer.in} → ${layer.out}`,
        value: percent(moved[n]),
        share: Math.min(1, moved[n] / MOST_MOVED),
      })),
      { label: "loss of the batch", value: `${two(curves.loss[step - 1])} → ${two(after.loss)}` },
    ],
  },
];

/**
 * A gradient as the sum of its parts, so that it adds up as it is read.
 *
 * @param {number[]} reconstruction
 * @param {number[]} kl
 * @param {number[]} whole
 */
function added(reconstruction, kl, whole) {
  const sum = whole.map((_, j) => near(reconstruction[j]) + near(kl[j]));
  return [
    { text: vector(reconstruction), term: "reconstruction" },
    { text: "+" },
    { text: vector(kl), term: "kl" },
    { text: "=" },
    { text: vector(sum), term: "loss" },
  ];
}
