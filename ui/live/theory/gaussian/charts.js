// Two plots of estimates from L draws: how they lie, and how their spread falls with L (T10).

import { nice } from "../../meter/scale.js";
import { minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { logDensity } from "../../space/gaussian.js";
import { handle } from "../parts/handle.js";
import { Plot } from "../parts/plot.js";
import { stepOf } from "./density.js";
import { estimates, mean, spread } from "./pool.js";

const MOST = 64; // draws, L
const LS = [1, 2, 4, 8, 16, 32, 64];
const BINS = 61;
const WIDE = 4; // standard deviations of one draw, to either side of the mean

/** The estimates as a histogram, beside the Gaussian of their expected spread: `node`. */
export class Histogram {
  /** @type {number[]} the share of the estimates in each bin, per nat */
  #bins = [];
  #at = { mu: 0, sigma: 1 };

  constructor() {
    const label = "estimates of the ELBO";
    this.plot = new Plot({ x: [-1, 1], y: [0, 1], label, ratio: 0.42, ticks: [], xTitle: "nats" });
    const { plot } = this;
    const bars = svg("path", { class: "live-bins" });
    plot.layer.append(bars);
    plot.add(() => set(bars, { d: this.#bars() }));
    plot.curve((x) => Math.exp(logDensity(x, this.#at)), "live-expected");
    const line = svg("line", { class: "live-mean-line" });
    plot.layer.append(line);
    plot.add(() => {
      const x = plot.px(this.#at.mu);
      set(line, { x1: x, x2: x, y1: plot.py(0), y2: plot.py(plot.y[1]) });
    });
    const beside = () => this.#at.mu - 0.06 * (plot.x[1] - plot.x[0]);
    plot.mark("ELBO", () => [beside(), 0.84 * plot.y[1]], "live-of-elbo");
    this.node = plot.node;
  }

  /**
   * @param {number[]} values estimates from one draw each
   * @param {number} draws L
   */
  show(values, draws) {
    const one = spread(values) || 1;
    const all = estimates(values, draws);
    this.#at = { mu: mean(values), sigma: one / Math.sqrt(draws) };
    const half = nice(WIDE * one);
    const [low, high] = [this.#at.mu - half, this.#at.mu + half];
    const wide = (high - low) / BINS;
    this.#bins = Array.from({ length: BINS }, () => 0);
    for (const value of all) {
      const bin = Math.floor((value - low) / wide);
      if (bin in this.#bins) this.#bins[bin] += 1 / (all.length * wide);
    }
    const peak = Math.exp(logDensity(this.#at.mu, this.#at));
    this.plot.x = [low, high];
    this.plot.y = [0, 1.1 * Math.max(peak, ...this.#bins)];
    const step = stepOf(1.5 * half);
    const first = Math.ceil(low / step);
    const count = Math.floor(high / step) - first + 1;
    this.plot.options.ticks = Array.from({ length: count }, (_, n) => Number(((first + n) * step).toPrecision(9)));
    this.plot.draw();
  }

  #bars() {
    const { plot } = this;
    const [low, high] = plot.x;
    const edge = (/** @type {number} */ n) => plot.px(low + ((high - low) * n) / BINS).toFixed(1);
    const floor = plot.py(0);
    const bar = (/** @type {number} */ share, /** @type {number} */ n) =>
      share ? `M${edge(n)},${floor}V${plot.py(share).toFixed(1)}H${edge(n + 1)}V${floor}Z` : "";
    return this.#bins.map(bar).join("");
  }
}

/** The measured spread over L, both by powers of two, and the line of s/√L: `node`, `draws`. */
export class Fall {
  /** @type {number[]} */
  #values = [];
  draws = 1;

  /** @param {(draws: number) => void} chose */
  constructor(chose) {
    this.plot = new Plot({
      x: [-0.9, 6.4],
      y: [-3.8, 0.7],
      label: "spread over L",
      ratio: 0.55,
      ticks: [],
      xTitle: "",
    });
    const { plot } = this;
    const [axis, dots] = [svg("g", { class: "live-axis-1d live-densities" }), svg("g", { class: "live-measured" })];
    plot.layer.append(axis);
    const line = svg("line", { class: "live-curve live-expected" });
    plot.layer.append(line);
    plot.add(() => {
      const [far, fallen] = [Math.log2(MOST), -Math.log2(MOST) / 2];
      set(line, { x1: plot.px(0), y1: plot.py(0), x2: plot.px(far), y2: plot.py(fallen) });
    });
    plot.layer.append(dots);
    plot.add(() => axis.replaceChildren(...this.#axis()));
    plot.add(() => dots.replaceChildren(...LS.flatMap((draws) => this.#dot(draws))));
    handle(plot, {
      said: "L, draws for each estimate",
      at: () => [Math.log2(this.draws), -Math.log2(this.draws) / 2],
      value: () => this.draws,
      low: 1,
      high: MOST,
      step: 1,
      to: ({ x }) => 2 ** x,
      className: "live-of-elbo",
      onInput: (to) => chose(Math.round(to)),
    });
    this.node = plot.node;
  }

  /**
   * @param {number[]} values estimates from one draw each
   * @param {number} draws L
   */
  show(values, draws) {
    this.#values = values;
    this.draws = draws;
    this.plot.draw();
  }

  #axis() {
    const { plot } = this;
    const one = spread(this.#values);
    const bottom = plot.py(plot.y[0]) + 18;
    const names = LS.map((draws) =>
      svg(
        "text",
        { x: plot.px(Math.log2(draws)), y: bottom, "text-anchor": "middle" },
        draws === 1 ? "L = 1" : `${draws}`,
      ),
    );
    const rules = [0, -1, -2, -3].flatMap((power) => {
      const y = plot.py(power);
      const value = Number.isFinite(one) ? minus((one * 2 ** power).toFixed(2)) : "";
      const rule = svg("line", { x1: plot.px(plot.x[0]), x2: plot.px(plot.x[1]), y1: y, y2: y });
      return [rule, svg("text", { x: plot.px(plot.x[0]), y: y - 4 }, value)];
    });
    const title = svg(
      "text",
      { x: plot.px(plot.x[1]), y: plot.py(plot.y[1]) + 10, "text-anchor": "end" },
      "spread, nats",
    );
    return [...rules, ...names, title];
  }

  /**
   * A measured spread, with its own standard error; nothing where there are too few estimates.
   *
   * @param {number} draws
   */
  #dot(draws) {
    const { plot } = this;
    const all = estimates(this.#values, draws);
    const measured = spread(all) / spread(this.#values);
    if (all.length < 4 || !(measured > 0)) return [];
    const error = 1 / Math.sqrt(2 * (all.length - 1));
    const [x, y] = [plot.px(Math.log2(draws)), plot.py(Math.log2(measured))];
    const [low, high] = [1 - error, 1 + error].map((share) => plot.py(Math.log2(measured * share)));
    return [svg("line", { x1: x, x2: x, y1: low, y2: high }), svg("circle", { cx: x, cy: y, r: 4.5 })];
  }
}
