// Curves over the steps of recorded trainings, on a logarithmic axis: most happens at the beginning.

import { set, svg } from "../../shared/svg.js";
import { LEFT, Plot } from "./plot.js";

/** @import { Lesson } from "../../shared/types.js" */
/**
 * lesson, column: what is drawn; className: its colour; title: at its end; isFaint: it is there to compare with; map: of
 * its values.
 *
 * @typedef {{
 *   lesson: Lesson, column: string, className: string, title?: string, isFaint?: boolean,
 *   map?: (value: number) => number,
 * }} Curve
 */

const ROOM = 1.06; // above the highest value
const BOTTOM = 34; // px, as Plot has it

/** The curves of recorded trainings, and a line at the step that is shown: `node`. */
export class Curves {
  /** @type {Curve[]} */
  #curves = [];
  #step = 1;
  #lines = svg("g");
  #grid = svg("g", { class: "live-axis-1d" });
  #now = svg("line", { class: "live-step-now" });
  #dots = svg("g");

  /**
   * @param {{ label: string, ratio?: number, yTitle?: string, grows?: boolean }} options yTitle: at the top of the axis
   *   of values; grows: curves that are not faint are drawn as far as the step that is shown
   */
  constructor({ label, ratio = 0.5, yTitle = "", grows = false }) {
    this.yTitle = yTitle;
    this.grows = grows;
    this.plot = new Plot({ x: [0, 3], y: [0, 1], label, ratio, left: LEFT });
    this.plot.valueAxis("");
    this.plot.layer.append(this.#grid, this.#lines, this.#now, this.#dots);
    this.plot.add(() => this.#draw());
    this.node = this.plot.node;
    this.node.classList.add("live-curves");
  }

  /**
   * Draws these curves; the axes hold all of them.
   *
   * @param {Curve[]} curves
   * @param {[number, number]} [range] of the axis of values, instead of what holds all of them
   */
  show(curves, range) {
    this.#curves = curves;
    const steps = curves.flatMap(({ lesson }) => lesson.columns.step);
    const values = curves.flatMap((it) => points(it).map(([, value]) => value));
    const last = Math.log10(Math.max(10, ...steps));
    this.plot.x = [0, last];
    this.plot.y = range ?? [Math.min(0, ...values), Math.max(1e-9, ...values) * ROOM];
    this.plot.draw();
  }

  /** @param {number} step that is shown now */
  at(step) {
    this.#step = step;
    if (this.plot.width) this.#draw();
  }

  #draw() {
    const { plot } = this;
    const line = (/** @type {Curve} */ curve) => {
      const d = this.#shown(curve).map(([step, value]) => `${plot.px(Math.log10(step)).toFixed(1)},${this.#y(value)}`);
      const faint = curve.isFaint ? "live-faint" : "";
      return svg("path", { class: `live-curve ${curve.className} ${faint}`, d: d.length ? `M${d.join("L")}` : "" });
    };
    this.#lines.replaceChildren(...this.#curves.map(line), ...this.#titles());
    this.#drawGrid();
    this.#drawNow();
  }

  /** What is drawn of a curve. @param {Curve} curve */
  #shown(curve) {
    const all = points(curve);
    return this.grows && !curve.isFaint ? all.filter(([step]) => step <= this.#step) : all;
  }

  /** @param {number} value */
  #y(value) {
    return Math.max(-12, Math.min(this.plot.height, this.plot.py(value))).toFixed(1);
  }

  /** The names of the curves beside their last points, so far apart that each can be read. */
  #titles() {
    const { plot } = this;
    const ends = this.#curves
      .filter(({ title }) => title)
      .map((curve) => ({ curve, last: this.#shown(curve).at(-1) ?? [1, 0] }))
      .map(({ curve, last: [step, value] }) => ({ curve, x: plot.px(Math.log10(step)), y: Number(this.#y(value)) - 8 }))
      .sort((a, b) => a.y - b.y);
    for (const [n, end] of ends.entries()) end.y = Math.max(end.y, n ? ends[n - 1].y + 19 : 16);
    const over = Math.max(0, (ends.at(-1)?.y ?? 0) - (plot.height - BOTTOM - 6));
    for (const [n, end] of ends.entries()) end.y = Math.max(16 + 19 * n, end.y - over);
    return ends.map(({ curve, x, y }) => {
      const isRight = x > plot.width / 2;
      const attributes = { class: curve.className, x: x + (isRight ? -10 : 10), y };
      return svg("text", { ...attributes, "text-anchor": isRight ? "end" : "start" }, curve.title ?? "");
    });
  }

  #drawGrid() {
    const { plot } = this;
    const bottom = plot.height - BOTTOM;
    const along = [1, 10, 100, 1000, 10_000]
      .filter((step) => Math.log10(step) <= plot.x[1])
      .map((step) =>
        svg(
          "text",
          { x: plot.px(Math.log10(step)), y: bottom + 18, "text-anchor": "middle" },
          step === 1 ? "step 1" : step.toLocaleString("en"),
        ),
      );
    const title = svg("text", { x: LEFT + 8, y: 14 }, this.yTitle);
    this.#grid.replaceChildren(...along, title);
  }

  #drawNow() {
    const { plot } = this;
    const x = plot.px(Math.log10(Math.max(1, this.#step)));
    set(this.#now, { x1: x, x2: x, y1: 8, y2: plot.height - BOTTOM });
    const dots = this.#curves.flatMap((curve) => {
      const [, value] = points(curve).findLast(([step]) => step <= this.#step) ?? [0, null];
      return value === null ? [] : [svg("circle", { class: curve.className, cx: x, cy: this.#y(value), r: 5 })];
    });
    this.#dots.replaceChildren(...dots);
  }
}

/**
 * Step and value of each record that has one.
 *
 * @param {Curve} curve
 */
export function points({ lesson, column, map = (value) => value }) {
  const { step: steps, [column]: values } = lesson.columns;
  return steps.flatMap((step, n) => {
    const value = values[n];
    return value === null ? [] : [/** @type {[number, number]} */ ([step, map(value)])];
  });
}
