// The integrand of a KL as a signed area over the axis: what lies above 0 adds to it, what lies below takes away.

import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { Plot } from "../parts/plot.js";
import { REACH } from "./pair.js";

const BOTTOM = -0.45; // of the axis: q log(q/p) is never below −p/e, and no p here is above 1.1
const SAMPLES = 400; // in which the highest value is looked for
const ROOM = 1.1; // above it

/** An integrand: `node`. */
export class Area {
  /** @type {(x: number) => number} */
  #f = () => 0;
  #top = svg("text", { class: "live-scale-end" });
  #line = svg("line", { class: "live-scale-line" });
  #above = "";
  #below = "";
  /** @type {[number, number]} where each of the parts is largest */
  #peaks = [0, 0];

  /** @param {{ label: string, ratio: number, ticks: number[], title: string }} options */
  constructor({ label, ratio, ticks, title }) {
    this.plot = new Plot({ x: [-REACH, REACH], y: [BOTTOM, 1], label, ratio, ticks, xTitle: "z" });
    const { plot } = this;
    plot.layer.append(this.#line);
    plot.area((x) => Math.max(this.#f(x), 0), "term-kl");
    plot.area((x) => Math.min(this.#f(x), 0), "live-minus");
    plot.curve((x) => this.#f(x), "term-kl");
    plot.curve(() => 0, "live-zero");
    this.#labels();
    this.caption = make("figcaption", {}, title);
    this.node = make("figure", { className: "live-integrand" }, this.caption, plot.node);
  }

  #labels() {
    const { plot } = this;
    const sum = (/** @type {0 | 1} */ which) => () => /** @type {[number, number]} */ ([this.#peaks[which], 0]);
    const above = plot.mark("", sum(0), "live-above-sum");
    const below = plot.mark("", sum(1), "live-below-sum");
    plot.layer.append(this.#top);
    plot.add(() => {
      above.textContent = this.#above;
      below.textContent = this.#below;
      set(above, { y: plot.py(plot.y[1] * 0.3) });
      set(below, { y: plot.py(Math.min(0, this.#f(this.#peaks[1]))) + 18 });
      const [x, y] = [plot.px(-REACH), plot.py(this.#scale)];
      set(this.#top, { x, y: y + 16 });
      set(this.#line, { x1: x, x2: plot.px(REACH), y1: y, y2: y });
      this.#top.textContent = minus(String(this.#scale));
    });
  }

  /** The number at the scale's upper line. */
  get #scale() {
    return this.plot.y[1] / ROOM;
  }

  /**
   * Shows another integrand, and what its two parts come to, in words.
   *
   * @param {(x: number) => number} f
   * @param {{ above?: string, below?: string }} [parts]
   */
  show(f, { above = "", below = "" } = {}) {
    this.#f = f;
    this.#above = above;
    this.#below = below;
    let [highest, lowest] = [0, 0];
    for (let n = 0; n <= SAMPLES; n += 1) {
      const x = -REACH + (2 * REACH * n) / SAMPLES;
      const y = f(x);
      if (!Number.isFinite(y)) continue;
      if (y > highest) [highest, this.#peaks[0]] = [y, x];
      if (y < lowest) [lowest, this.#peaks[1]] = [y, x];
    }
    const scale = 2 ** Math.max(0, Math.ceil(Math.log2(highest))); // doubled at once: the eye can follow
    this.plot.y = [BOTTOM, scale * ROOM];
    this.plot.draw();
  }
}
