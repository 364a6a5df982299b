// What a pixel's prediction costs: cross-entropy and scaled squared error over the predicted value (T19).

import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { Plot } from "../parts/plot.js";
import { logit, logOf } from "./pixels.js";

const TOP = 5; // nats, of the axis
const NEAREST = 0.001; // of the handle to 0 and to 1
const EDGE = 1e-9; // of a curve

/** Cross-entropy of a value, nats. @type {(x: number, predicted: number) => number} */
export const crossEntropy = (x, predicted) =>
  -logOf("bernoulli", x, logit(Math.min(1 - EDGE, Math.max(EDGE, predicted))));

/**
 * (x − x̂)²/2σ², nats: what a Gaussian's cost is above its least.
 *
 * @type {(x: number, mean: number, sigma: number) => number}
 */
export const squared = (x, mean, sigma) => (x - mean) ** 2 / (2 * sigma ** 2);

/** Two curves and a handle: `node`, `sigma`. */
export class Costs {
  #x = 1;
  #predicted = 0.5;
  #sigma = 0.3;
  #says = make("p", { className: "live-costs" });

  /** @param {() => void} dragged */
  constructor(dragged) {
    this.plot = new Plot({ x: [0, 1], y: [0, TOP], label: "cost over the predicted value", ratio: 0.56,
      ticks: [0, 0.25, 0.5, 0.75, 1], xTitle: "predicted value" }); // biome-ignore format: few lines
    const { plot } = this;
    const entropy = (/** @type {number} */ it) => crossEntropy(this.#x, it);
    const square = (/** @type {number} */ it) => squared(this.#x, it, this.#sigma);
    plot.curve(square, "live-of-square");
    plot.curve(entropy, "live-of-entropy");
    const dot = svg("circle", { r: 5, class: "live-square-dot" });
    plot.layer.append(dot);
    const seen = (/** @type {number} */ cost) => Math.min(TOP, cost);
    plot.add(() => set(dot, { cx: plot.px(this.#predicted), cy: plot.py(seen(square(this.#predicted))) }));
    handle(plot, {
      said: "predicted value",
      at: () => [this.#predicted, seen(entropy(this.#predicted))],
      value: () => this.#predicted,
      low: NEAREST,
      high: 1 - NEAREST,
      step: 0.01,
      to: ({ x }) => x,
      className: "live-of-entropy",
      onInput: (it) => {
        this.#predicted = it;
        this.#draw();
        dragged();
      },
    });
    this.node = make("div", { className: "live-pixel-costs" }, this.#says, plot.node);
    this.#draw();
  }

  /** @param {number} sigma */
  set sigma(sigma) {
    this.#sigma = sigma;
    this.#draw();
  }

  /**
   * Takes a pixel.
   *
   * @param {number} x
   * @param {number} predicted
   */
  take(x, predicted) {
    this.#x = x;
    this.#predicted = Math.max(NEAREST, Math.min(1 - NEAREST, predicted));
    this.#draw();
  }

  #draw() {
    this.plot.draw();
    const number = (/** @type {number} */ value, /** @type {string} */ name) => {
      const output = make("output", {}, minus(value.toFixed(2)));
      output.dataset.pixel = name;
      return output;
    };
    const [x, predicted] = [this.#x, this.#predicted];
    const entropy = number(crossEntropy(x, predicted), "entropy");
    const square = number(squared(x, predicted, this.#sigma), "square");
    this.#says.replaceChildren(
      make("span", {}, "This pixel: x = ", number(x, "x"), ", predicted ", number(predicted, "predicted")),
      make("span", { className: "live-of-entropy" }, "cross-entropy ", entropy),
      make("span", { className: "live-of-square" }, "squared error / 2σ² ", square),
    );
  }
}
