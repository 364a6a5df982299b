// log p(x) of the image in hand by draws from the prior, by draws from q, and exactly, as the draws grow (T12).

import { later, never } from "../../shared/background.js";
import { make } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { Numbers } from "../parts/numbers.js";
import { LEFT, Plot } from "../parts/plot.js";
import { exactly, rowsOf } from "../parts/scoring.js";
import { strip } from "../parts/strip.js";
import { drawing, nothing } from "./draws.js";
import { Scatter } from "./scatter.js";

/** @import { Rows } from "../../exact/rows.js" */
/** @import { Build, Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */
/** @import { Drawn, Draws } from "./draws.js" */

const KEY = "integral";
const MOST = 4; // n is at most 10 to the power of that
const SHOWN = 70; // nats below log p(x) that the axis goes down
const ABOVE = 8;
const PAUSE = 200; // ms between two pictures while draws come
const POINTS = 240; // of a curve

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "n", title: "draws, n", kind: "general" },
  { name: "from_prior", title: "log p̂(x) from the prior", term: "prior", kind: "general" },
  { name: "from_q", title: "log p̂(x) from q", term: "likelihood", kind: "general" },
  { name: "evidence", title: "log p(x)", term: "evidence", kind: "exact" },
  { name: "effective_prior", title: "effective draws, prior", word: "effective_draws", kind: "general" },
  { name: "effective_q", title: "effective draws, q", word: "effective_draws", kind: "general" },
  { name: "share", title: "prior draws that carry 95 %", kind: "general" },
];

/** @type {Build} */
export function build(frame) {
  new Numbers(frame, ROWS);
  const view = new Integral(frame);
  const again = make("button", { type: "button" }, "Draw again");
  again.onclick = () => view.begin();
  frame.buttons.prepend(again);
  frame.picture.append(view.node);
  return { shown: () => view.shown(true), hidden: () => view.shown(false) };
}

/** The curves: `node`. */
class Integral {
  /** @type {Known | null} */
  #known = null;
  /** @type {Iterator<void> | null} */
  #steps = null;
  #isShown = false;
  /** @type {Drawn} */
  #drawn = nothing();
  #power = 2; // n is 10 to the power of that
  #last = -Infinity; // when it was drawn last
  #scatter = new Scatter();
  #plot = new Plot({
    x: [0, MOST + 0.2], y: [-SHOWN, ABOVE], left: LEFT, label: "Estimates of log p(x) over the number of draws", ratio: 0.62,
    ticks: [0, 1, 2, 3, MOST], written: (power) => (10 ** power).toLocaleString("en"), xTitle: "n",
  }); // biome-ignore format: one line an axis

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    const below = make("div", { className: "live-beside" }, this.#scatter.node, strip(frame, { isFlat: true }));
    this.node = make("div", { className: "live-integral" }, this.#plot.node, below);
    this.#draw();
    frame.image.onChange((known, isOther) => {
      this.#known = known;
      if (isOther) this.begin();
      else this.#show();
    });
  }

  /** Puts the parts into the plot: the scale, the exact value, both curves, and n. */
  #draw() {
    const plot = this.#plot;
    const exact = svg("line", { class: "live-at term-evidence" });
    const reading = svg("line", { class: "live-reading" });
    plot.valueAxis("");
    plot.layer.append(exact, reading);
    plot.add(() => {
      const value = exactly(this.#known);
      exact.style.display = value === null ? "none" : "";
      if (value !== null) set(exact, { x1: plot.px(0), x2: plot.px(MOST), y1: plot.py(value), y2: plot.py(value) });
      const x = plot.px(this.#power);
      set(reading, { x1: x, x2: x, y1: plot.py(plot.y[0]), y2: plot.py(plot.y[1]) });
    });
    for (const [name, className] of /** @type {const} */ ([
      ["prior", "term-prior"],
      ["q", "term-likelihood"],
    ])) {
      const node = svg("path", { class: `live-curve ${className}` });
      const word = svg(
        "text",
        { class: className, "text-anchor": "end" },
        name === "q" ? "draws from q" : "from the prior",
      );
      plot.layer.append(node, word);
      plot.add(() => trace(plot, this.#drawn[name], this.#far, node, word, name === "q" ? -10 : 22));
    }
    handle(plot, {
      said: "n, as a power of ten",
      at: () => [this.#power, plot.y[0] + 3],
      value: () => this.#power,
      low: 0,
      high: MOST,
      to: ({ x }) => x,
      onInput: (power) => {
        this.#power = power;
        this.frame.done();
        this.#show();
      },
    });
  }

  /** As far as the curves are shown: to n, until the visitor has moved it. */
  get #far() {
    return this.frame.isDone ? 10 ** MOST : Math.round(10 ** this.#power);
  }

  /** @param {boolean} isShown */
  shown(isShown) {
    this.#isShown = isShown;
    if (isShown && this.#steps) later(KEY, this.#steps);
    else never(KEY);
  }

  /** Draws new z for the image in hand. */
  async begin() {
    const known = this.#known;
    this.#drawn = nothing();
    this.#steps = null;
    never(KEY);
    this.#show();
    if (!known) return;
    const rows = await rowsOf(known.looked.version);
    if (this.#known?.x !== known.x) return;
    if (!rows) return this.frame.say("This browser could not load the model’s decoder, which the draws need.");
    this.#drawn = nothing();
    this.#steps = this.#go(rows, known, this.#drawn);
    if (this.#isShown) later(KEY, this.#steps);
  }

  /**
   * Draws, and shows from time to time what has come.
   *
   * @param {Rows} rows
   * @param {Known} known
   * @param {Drawn} drawn
   */
  *#go(rows, known, drawn) {
    for (const _ of drawing(rows, known, drawn, 10 ** MOST)) {
      if (performance.now() - this.#last > PAUSE) this.#show();
      yield;
    }
    this.#show();
    this.#steps = null;
  }

  #show() {
    this.#last = performance.now();
    const n = Math.round(10 ** this.#power);
    const { prior, q, places } = this.#drawn;
    const isThere = q.count >= n && prior.count >= n;
    const of = (/** @type {Draws} */ draws, /** @type {"log_px" | "effective"} */ what) =>
      isThere ? draws.after(n)[what] : this.#steps ? "drawing …" : "";
    const carriers = prior.carriers(Math.min(n, prior.count));
    const evidence = exactly(this.#known);
    this.frame.show({
      n: n.toLocaleString("en"),
      from_prior: of(prior, "log_px"),
      from_q: of(q, "log_px"),
      evidence: evidence ?? "",
      effective_prior: of(prior, "effective"),
      effective_q: of(q, "effective"),
      share: isThere ? percent(carriers.length / n) : "",
    });
    const top = evidence ?? (q.count ? q.after(q.count).log_px : 0);
    this.#plot.y = [top - SHOWN, top + ABOVE];
    this.#plot.draw();
    this.#scatter.show(this.#known, places, n, carriers);
  }
}

/** @param {number} share */
const percent = (share) => `${share < 0.1 ? (100 * share).toPrecision(2) : Math.round(100 * share)} %`;

/**
 * Draws the curve of an estimate, as far as it has come, with its name at the end.
 *
 * @param {Plot} plot
 * @param {Draws} draws
 * @param {number} most draws that are shown
 * @param {SVGElement} node
 * @param {SVGElement} word
 * @param {number} below px from the curve to its name
 */
function trace(plot, draws, most, node, word, below) {
  const far = Math.log10(Math.max(1, Math.min(most, draws.count)));
  const points = [];
  for (let k = 0; k <= POINTS; k += 1) {
    const power = (far * k) / POINTS;
    const { log_px } = draws.after(Math.max(1, Math.round(10 ** power))) ?? {};
    if (log_px === undefined) break;
    points.push([plot.px(power), Math.min(plot.py(plot.y[0]), plot.py(log_px))]);
  }
  node.setAttribute(
    "d",
    points.length ? `M${points.map((at) => at.map((value) => value.toFixed(1)).join(",")).join("L")}` : "",
  );
  const [x, y] = points.at(-1) ?? [0, 2 * plot.height];
  word.style.display = x > 120 && y < plot.height - 70 ? "" : "none";
  set(word, { x, y: y + below });
}
