// Why KL is never negative (T4): log t lies below t − 1, with t to drag; so do the ratios t = p/q at draws from q, and
// KL is the mean of their slacks.

import { make } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { kl } from "../../space/gaussian.js";
import { handle } from "../parts/handle.js";
import { exactHere } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";
import { Draws, mean } from "./draws.js";
import { averages } from "./measure.js";
import { BOUNDS, bell, grips, pair, REACH, TICKS, TOP, tall } from "./pair.js";
import { number, table } from "./table.js";

/** @import { Build, Frame } from "../frame.js" */

const DRAWS = 1000; // as its words say, too
const LAST = 4; // of the axis of t
const BOTTOM = -3; // of the axis of log t
const BOUNDS_OF_T = { low: 0.06, high: 3.9 };
const FIRST_T = 2.5;

const HEAVY = "p is so much wider than q that t has no finite variance under q: its mean over draws is unreliable.";

const slack = (/** @type {number} */ t) => t - 1 - Math.log(t);

/** The picture and the numbers of this card. */
class Bound {
  #t = FIRST_T;
  #draws = new Draws(DRAWS);
  #lines = new Plot({
    x: [0, LAST],
    y: [BOTTOM, LAST - 1],
    label: "log t and t − 1 over t",
    ratio: tall(0.62),
    ticks: [0, 1, 2, 3, 4],
    xTitle: "t = p/q",
  });
  #densities = new Plot({ x: [-REACH, REACH], y: [0, TOP], label: "q and p over z", ratio: tall(0.42), ticks: TICKS });
  #outside = make("span", { className: "live-outside" });

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.#drawLines();
    this.#drawCloud();
    this.#drawT();
    const told = { moved: () => this.#moved() };
    for (const name of /** @type {const} */ (["q", "p"])) bell(this.#densities, name, () => pair[name]);
    for (const name of /** @type {const} */ (["q", "p"])) grips(this.#densities, name, () => pair[name], BOUNDS, told);
    const again = make("button", { type: "button" }, "Draw again");
    again.onclick = () => {
      this.#draws.draw();
      this.#moved();
    };
    const below = make("div", { className: "live-cloud" }, this.#outside, again);
    frame.picture.append(this.#lines.node, below, this.#densities.node);
    frame.numbers.append(means());
  }

  #drawLines() {
    const plot = this.#lines;
    plot.curve(() => 0, "live-zero");
    plot.curve((t) => t - 1, "live-line");
    plot.curve((t) => Math.max(Math.log(t), BOTTOM), "live-log");
    const words = { "live-line": { text: "t − 1", at: [2.9, 2.2] }, "live-log": { text: "log t", at: [3.6, 0.4] } };
    for (const [className, { text, at }] of Object.entries(words))
      plot.mark(text, () => /** @type {[number, number]} */ (at), className);
  }

  /** The ratios at the draws, on the curve, and from each its slack up to the line. */
  #drawCloud() {
    const plot = this.#lines;
    const slacks = svg("path", { class: "live-slacks" });
    const dots = Array.from({ length: DRAWS }, () => svg("circle", { r: 4, class: "live-ratio" }));
    plot.layer.append(slacks, ...dots);
    plot.add(() => {
      const logs = [...this.#draws.logRatios(pair.q, pair.p)];
      const isSeen = (/** @type {number} */ log_t) => log_t >= BOTTOM && log_t <= Math.log(LAST);
      dots.forEach((dot, n) => {
        dot.toggleAttribute("hidden", !isSeen(logs[n]));
        set(dot, { cx: plot.px(Math.exp(logs[n])), cy: plot.py(logs[n]) });
      });
      const sticks = logs.filter(isSeen).map((log_t) => {
        const t = Math.exp(log_t);
        return `M${plot.px(t).toFixed(1)},${plot.py(log_t).toFixed(1)}V${plot.py(t - 1).toFixed(1)}`;
      });
      set(slacks, { d: sticks.join("") });
      const outside = DRAWS - sticks.length;
      const rest = outside ? `; ${outside} lie outside` : "";
      this.#outside.textContent = `Dots: t at 1,000 draws from q${rest}.`;
    });
  }

  /** The t that is dragged, with its slack. */
  #drawT() {
    const plot = this.#lines;
    const bar = svg("line", { class: "live-slack" });
    const text = svg("text", { class: "live-slack-text" });
    plot.layer.append(bar, text);
    plot.add(() => {
      const t = this.#t;
      const [x, high, low] = [plot.px(t), plot.py(t - 1), plot.py(Math.log(t))];
      set(bar, { x1: x, x2: x, y1: low, y2: high });
      const isAbove = t > 1; // left of the line above it; else right of the curve below it: nothing else is drawn there
      if (isAbove) set(text, { x: x - 6, y: high - 12, "text-anchor": "end" });
      else set(text, { x: x + 14, y: low + 18, "text-anchor": "start" });
      text.textContent = `slack ${slack(t).toFixed(2)}`;
    });
    handle(plot, {
      said: "t",
      at: () => [this.#t, Math.log(this.#t)],
      value: () => this.#t,
      ...BOUNDS_OF_T,
      to: ({ x }) => x,
      className: "term-kl",
      onInput: (t) => {
        this.#t = t;
        this.#moved();
      },
    });
  }

  #moved() {
    this.show();
    this.frame.done();
  }

  /** Shows what follows from t, q and p. */
  show() {
    const { q, p } = pair;
    this.#lines.draw();
    this.#densities.draw();
    const exact = averages(q, p);
    const logs = this.#draws.logRatios(q, p);
    this.frame.show({
      slack_at_t: slack(this.#t),
      kl: kl(q, p),
      ratio: exact.t,
      minus_log: -exact.log_t,
      log_t: exact.log_t,
      slack: exact.slack,
      bound: exact.t - 1,
      drawn_ratio: mean(logs.map(Math.exp)),
      drawn_log: -mean(logs),
      drawn_slack: mean(logs.map((log_t) => Math.exp(log_t) - 1 - log_t)),
    });
    this.frame.say(p.sigma ** 2 < 2 * q.sigma ** 2 ? "" : HEAVY);
  }
}

/** The averages under q, exactly and over the draws. */
function means() {
  return table(
    ["KL in closed form: ", number("kl"), ". The quadrature: ", exactHere()],
    ["mean under q of", "quadrature", "1,000 draws"],
    [
      { title: ["t"], names: ["ratio", "drawn_ratio"] },
      { title: ["− log t"], names: ["minus_log", "drawn_log"] },
      { title: ["slack t − 1 − log t"], names: ["slack", "drawn_slack"], className: "term-kl" },
    ],
  );
}

/** @type {Build} */
export function build(frame) {
  const bound = new Bound(frame);
  return { shown: () => bound.show() };
}
