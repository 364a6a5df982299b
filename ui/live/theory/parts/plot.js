// A plot over one axis: curves, filled areas and handles in SVG, drawn again at every size, so that its text keeps its own.

import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";

/**
 * x, y: both ends of each axis, in the units of what is drawn; ticks: where the x axis has numbers; written: how these
 * are written; label: for a screen reader; ratio: of height to width; left: px, for the numbers of an axis of values.
 *
 * @typedef {{
 *   x: [number, number], y: [number, number], label: string, ratio?: number, xTitle?: string, ticks?: number[],
 *   written?: (tick: number) => string, left?: number,
 * }} Options
 * @typedef {(plot: Plot) => void} Draw
 */

const EDGE = { left: 8, right: 8, top: 8, bottom: 34 }; // px around what is drawn
const HIGHEST = 14; // px, of a word
const POINTS = 300; // of a curve
const TICKS = 5; // of the axis of values, about

/** px that a plot with an axis of values leaves at its left for the numbers. */
export const LEFT = 48;

/** A plot: `node`. Draw with `curve`, `area`, `mark`; `draw` calls all of it again. */
export class Plot {
  width = 0;
  height = 0;
  /** @type {Set<Draw>} */
  #draws = new Set();
  #axis = svg("g", { class: "live-axis-1d" });
  /** Takes what is drawn, the last on top. */
  layer = svg("g");
  svg = svg("svg", { role: "group" }, this.#axis, this.layer);
  node = make("div", { className: "live-plane-1d" }, this.svg);

  /** @param {Options} options */
  constructor(options) {
    this.x = options.x;
    this.y = options.y;
    this.options = options;
    this.left = options.left ?? EDGE.left;
    this.svg.setAttribute("aria-label", options.label);
    new ResizeObserver(() => this.#resize()).observe(this.node);
  }

  #resize() {
    const width = this.node.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    this.height = Math.round(width * (this.options.ratio ?? 0.6));
    set(this.svg, { width, height: this.height, viewBox: `0 0 ${width} ${this.height}` });
    this.draw();
  }

  /** Draws all again: values, or an axis, have changed. */
  draw() {
    if (!this.width) return;
    this.#drawAxis();
    for (const draw of this.#draws) draw(this);
  }

  #drawAxis() {
    const y = this.height - EDGE.bottom;
    const { ticks = [], xTitle = "", written = String } = this.options;
    const line = svg("line", { x1: this.left, x2: this.width - EDGE.right, y1: y, y2: y });
    const numbers = ticks.map((tick) =>
      svg("text", { x: this.px(tick), y: y + 18, "text-anchor": "middle" }, minus(written(tick))),
    );
    const title = svg("text", { x: this.width - EDGE.right, y: y - 6, "text-anchor": "end" }, xTitle);
    this.#axis.replaceChildren(line, ...numbers, title);
  }

  /** Where a value lies, px. @param {number} x */
  px(x) {
    const [low, high] = this.x;
    return this.left + ((x - low) / (high - low)) * (this.width - this.left - EDGE.right);
  }

  /** @param {number} y */
  py(y) {
    const [low, high] = this.y;
    return this.height - EDGE.bottom - ((y - low) / (high - low)) * (this.height - EDGE.top - EDGE.bottom);
  }

  /**
   * The values at a pointer.
   *
   * @param {{ clientX: number, clientY: number }} event
   */
  at({ clientX, clientY }) {
    const box = this.svg.getBoundingClientRect();
    const [[left, right], [low, high]] = [this.x, this.y];
    const across = (clientX - box.left - this.left) / (box.width - this.left - EDGE.right);
    const up = (box.bottom - EDGE.bottom - clientY) / (box.height - EDGE.top - EDGE.bottom);
    return { x: left + across * (right - left), y: low + up * (high - low) };
  }

  /**
   * Has something drawn now and at every size.
   *
   * @param {Draw} draw
   */
  add(draw) {
    this.#draws.add(draw);
    if (this.width) draw(this);
  }

  /**
   * A curve, from one edge to the other.
   *
   * @param {(x: number) => number} f
   * @param {string} className
   */
  curve(f, className) {
    const node = svg("path", { class: `live-curve ${className}` });
    this.layer.append(node);
    this.add(() => set(node, { d: this.path(f) }));
    return node;
  }

  /**
   * The area between a curve and 0, only as far as a condition holds.
   *
   * @param {(x: number) => number} f
   * @param {string} className
   */
  area(f, className) {
    const node = svg("path", { class: `live-area ${className}` });
    this.layer.append(node);
    this.add(() =>
      set(node, { d: `${this.path(f)}L${this.px(this.x[1])},${this.py(0)}L${this.px(this.x[0])},${this.py(0)}Z` }),
    );
    return node;
  }

  /** @param {(x: number) => number} f */
  path(f) {
    const [low, high] = this.x;
    const clip = (/** @type {number} */ y) => Math.max(-this.height, Math.min(2 * this.height, this.py(y)));
    const points = Array.from({ length: POINTS + 1 }, (_, n) => {
      const x = low + ((high - low) * n) / POINTS;
      return `${this.px(x).toFixed(1)},${clip(f(x)).toFixed(1)}`;
    });
    return `M${points.join("L")}`;
  }

  /**
   * A word at a place.
   *
   * @param {string} text
   * @param {() => [number, number]} where
   * @param {string} [className]
   */
  mark(text, where, className = "") {
    const node = svg("text", { class: className, "text-anchor": "middle" }, text);
    this.layer.append(node);
    this.add(() => {
      const [x, y] = where();
      set(node, { x: this.px(x), y: Math.max(HIGHEST, this.py(y) - 16) });
    });
    return node;
  }

  /**
   * Draws the horizontal lines of the axis of values with their numbers at the left, which needs room there, and a title
   * at the top.
   *
   * @param {string} title
   */
  valueAxis(title) {
    const axis = svg("g", { class: "live-axis-1d" });
    this.layer.append(axis);
    this.add(() => {
      const right = this.px(this.x[1]);
      const lines = ticks(...this.y).flatMap((value) => [
        svg("line", { class: "live-grid-line", x1: this.left, x2: right, y1: this.py(value), y2: this.py(value) }),
        svg("text", { x: this.left - 8, y: this.py(value) + 5, "text-anchor": "end" }, minus(rounded(value))),
      ]);
      axis.replaceChildren(...lines, svg("text", { x: right, y: HIGHEST, "text-anchor": "end" }, title));
    });
  }

  /**
   * A path through points.
   *
   * @param {[number, number][]} points
   */
  through(points) {
    const places = points.map(([x, y]) => `${this.px(x).toFixed(1)},${this.py(y).toFixed(1)}`);
    return places.length ? `M${places.join("L")}` : "";
  }
}

/** @param {number} value */
const rounded = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });

/**
 * Round values between two ends, without the lowest: the axis is there.
 *
 * @param {number} low
 * @param {number} high
 */
export function ticks(low, high) {
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((it) => it * power >= rough) ?? 10);
  const first = Math.ceil(low / step + 1e-9);
  const count = Math.floor(high / step - 0.15) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, n) => Number(((first + n) * step).toPrecision(6)));
}
