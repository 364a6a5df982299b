// One image and one prediction under three likelihoods: each pixel's log-probability, their sums, and what an error
// costs under each (T19).

import { answerOf, failed } from "../../shared/ask.js";
import { make, minus, paint } from "../../shared/page.js";
import { Numbers } from "../parts/numbers.js";
import { Slider } from "../parts/slider.js";
import { strip } from "../parts/strip.js";
import { Costs } from "./costs.js";
import { Heat } from "./heat.js";
import { ceiling, logsOf, squaredError, total } from "./pixels.js";
import { predictionOf } from "./prediction.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { ShippedFigures } from "../../shared/types.js" */
/** @import { Prediction } from "./prediction.js" */

const [LOW, HIGH] = [0.05, 1]; // of σ
const SIGMA = 0.3;
/** @type {{ name: import("./pixels.js").Name, value: string, title: string, said: string }[]} */
const KINDS = [
  { name: "bernoulli", value: "bernoulli", title: "Bernoulli", said: "Bernoulli" },
  { name: "gaussian", value: "gaussian", title: "Gaussian, $\\sigma$ below", said: "Gaussian" },
  { name: "continuous_bernoulli", value: "continuous", title: "continuous Bernoulli", said: "continuous Bernoulli" },
];

/** @type {Build} */
export function build(frame) {
  const numbers = new Numbers(frame, ROWS, { bars: true });
  /** @type {Prediction | null} */
  let held = null;
  const costs = new Costs(() => frame.done());
  const mark = (/** @type {number} */ pixel) => {
    for (const { heat } of maps) heat.mark(pixel);
    if (held) costs.take(held.x[pixel], held.mean[pixel]);
  };
  const choose = (/** @type {number} */ pixel) => {
    mark(pixel);
    frame.done();
  };
  const maps = KINDS.map(({ name, value, title, said }) => ({
    name,
    heat: new Heat({ title, said, sum: value }, choose),
  }));
  const show = () => {
    costs.sigma = sigma.value;
    if (held) score(frame, numbers, maps, held, sigma.value);
  };
  const moved = () => {
    show();
    frame.done();
  };
  const sigma = new Slider({ label: "$\\sigma$ of the Gaussian", said: "σ of the Gaussian", low: LOW, high: HIGH,
    value: SIGMA, isLog: true, onInput: moved }); // biome-ignore format: few lines
  const predicted = make("canvas", { className: "live-in-hand" });
  frame.image.onChange((known, isOther) => {
    if (!known || !isOther) return;
    held = predictionOf(known);
    paint(
      predicted,
      Uint8Array.from(held.mean, (value) => Math.round(255 * Math.max(0, Math.min(1, value)))),
    );
    show();
    mark(worst(held));
  });
  const made = make("figure", { className: "live-made" }, make("figcaption", {}, "x̂ = mean of p(x|z)"), predicted);
  const row = make("div", { className: "live-pixel-maps" }, ...maps.map(({ heat }) => heat.node));
  const inHand = strip(frame);
  inHand.append(made);
  const below = make("div", { className: "live-of-pixel" }, inHand, costs.node);
  frame.picture.append(row, sigma.node, below, shipped(frame));
  show();
  return {};
}

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "bernoulli", title: "log p(x|z), Bernoulli", term: "reconstruction", kind: "general" },
  { name: "gaussian", title: "Gaussian", term: "reconstruction", kind: "general" },
  { name: "continuous", title: "continuous Bernoulli", term: "reconstruction", kind: "general" },
  { name: "ceiling", title: "Gaussian, if $\\hat x = x$", kind: "general" },
  { name: "sse", title: "$\\|x-\\hat x\\|^2$", kind: "general" },
  { name: "beta", title: "$\\beta = 2\\sigma^2$ beside it", term: "kl", kind: "general" },
];

/**
 * Shows every pixel's part of log p(x|z), and the sums.
 *
 * @param {Frame} frame
 * @param {Numbers} numbers
 * @param {{ name: import("./pixels.js").Name, heat: Heat }[]} maps
 * @param {Prediction} held
 * @param {number} sigma
 */
function score(frame, numbers, maps, held, sigma) {
  const sums = maps.map(({ name, heat }) => {
    const values = logsOf(name, held, sigma);
    heat.show(values);
    return total(values);
  });
  const [bernoulli, gaussian, continuous] = sums;
  const best = ceiling(sigma);
  frame.show({ bernoulli, gaussian, continuous, ceiling: best, sse: squaredError(held), beta: 2 * sigma ** 2 });
  const from0 = (/** @type {number} */ to) => ({ from: 0, to });
  numbers.lay({
    bernoulli: from0(bernoulli),
    gaussian: from0(gaussian),
    continuous: from0(continuous),
    ceiling: from0(best),
  });
}

/** The pixel whose prediction is furthest off. @param {Prediction} held */
function worst({ x, mean }) {
  const off = Array.from(x, (value, i) => Math.abs(value - mean[i]));
  return off.indexOf(Math.max(...off));
}

/**
 * What two shipped models, alike but for their likelihood, were measured to be worth.
 *
 * @param {Frame} frame
 */
function shipped(frame) {
  const node = make("p", { className: "live-shipped", hidden: true });
  const fill = async () => {
    const answer = await answerOf(frame.server.shipped_figures({}));
    if (failed(answer)) return;
    const of = (/** @type {string} */ likelihood) =>
      answer.models.find((it) => it.likelihood === likelihood && it.dims === 20);
    const [black, grey] = [of("bernoulli"), of("gaussian")];
    if (!black || !grey?.sigma) return;
    const loss = (/** @type {ShippedFigures} */ { elbo }) => make("b", {}, minus((-elbo).toFixed(2)));
    node.append("Two ready-made models with 20 dimensions, −ELBO on test images: Bernoulli ", loss(black));
    node.append(`, Gaussian with σ = ${grey.sigma.toFixed(4)} `, loss(grey));
    node.append(". A density may exceed 1, so the second can be below 0: the two cannot be compared.");
    node.hidden = false;
  };
  fill();
  return node;
}
