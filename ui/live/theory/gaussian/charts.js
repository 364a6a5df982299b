// Two plots of estimates from L draws: how they lie, and how their spread falls with L (T10).

import { nice } from "../../meter/scale.js";
import { minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { Plot } from "../parts/plot.js";
import { stepOf } from "./density.js";
import { estimates, mean, spread } from "./pool.js";

const MOST = 64; // draws, L
const LS = [1, 2, 4, 8, 16, 32, 64];
const BINS = 61;
const WIDE = 4; // standard deviations of one draw, to either side of the mean

/** The estimates as a histogram, beside the Gaussian that they should follow: `node`. */
export class Histogram {
  /** @type {number[]} */
  #values = [];
  #at = { middle: 0, width: 1 };

  constructor() {
    this.plot = new Plot({
      x: [-1, 1],
      y: [0, 1.25],
      label: "estimates of the ELBO",
      ratio: 0.36,
      ticks: [],
      xTitle: "nats",
    });
    const { plot } = this;
    const bars = svg("path", { class: "live-bins" });
    plot.layer.append(bars);
    plot.add(() => set(bars, { d: this.#bars() }));
    plot.curve((x) => Math.exp(-0.5 * ((x - this.#at.middle) / this.#at.width) ** 2), "live-expected");
    const line = svg("line", { class: "live-mean-line" });
    plot.layer.append(line);
    plot.add(() => {
      const x = plot.px(this.#at.middle);
      set(line, { x1: x, x2: x, y1: plot.py(0), y2: plot.py(1.08) });
    });
    plot.mark("ELBO", () => [this.#at.middle, 1], "live-of-elbo");
    this.node = plot.node;
  }

  /**
   * @param {number[]} values estimates from one draw each
   * @param {number} draws L
   */
  show(values, draws) {
    const one = spread(values) || 1;
    this.#values = estimates(values, draws);
    this.#at = { middle: mean(values), width: one / Math.sqrt(draws) };
    const half = nice(WIDE * one);
    const [low, high] = [this.#at.middle - half, this.#at.middle + half];
    this.plot.x = [low, high];
    const step = stepOf(1.5 * half);
    const first = Math.ceil(low / step);
    const count = Math.floor(high / step) - first + 1;
    this.plot.options.ticks = Array.from({ length: count }, (_, n) => Number(((first + n) * step).toPrecision(9)));
    this.plot.draw();
  }

  #bars() {
    const { plot } = this;
    const [low, high] = plot.x;
    const counts = Array.from({ length: BINS }, () => 0);
    const bins = this.#values.map((value) => Math.floor((BINS * (value - low)) / (high - low)));
    for (const bin of bins) if (bin in counts) counts[bin] += 1;
    // as high as the expected curve has it: the number that a bin at the mean should hold
    const wide = (high - low) / BINS;
    const peak = Math.max(
      1,
      (this.#values.length * wide) / (Math.sqrt(2 * Math.PI) * Math.max(wide / 2.5, this.#at.width)),
    );
    const edge = (/** @type {number} */ n) => plot.px(low + n * wide).toFixed(1);
    const bar = (/** @type {number} */ count, /** @type {number} */ n) => {
      const y = plot.py(Math.min(1.2, count / peak)).toFixed(1);
      return `M${edge(n)},${plot.py(0)}V${y}H${edge(n + 1)}V${plot.py(0)}Z`;
    };
    return counts.map((count, n) => (count ? bar(count, n) : "")).join("");
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
      x: [-0.5, 6.4],
      y: [-3.8, 0.7],
      label: "spread over L",
      ratio: 0.4,
      ticks: [],
      xTitle: "L draws",
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
      svg("text", { x: plot.px(Math.log2(draws)), y: bottom, "text-anchor": "middle" }, `${draws}`),
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
