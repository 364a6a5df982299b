// Densities in a plot: Gaussians, however narrow, and an axis whose numbers follow as it grows.

import { nice } from "../../meter/scale.js";
import { set, svg } from "../../shared/svg.js";
import { logDensity } from "../../space/gaussian.js";

/** @import { Gaussian } from "../../space/gaussian.js" */
/** @import { Plot } from "../parts/plot.js" */

const LINES = 3; // about as many as that
const WIDE = 6; // standard deviations, beyond which a density is 0 to the eye
const POINTS = 80; // of a curve, to either side

/**
 * The density of a Gaussian as an area with its edge. Its points follow it, so that no peak is cut off.
 *
 * @param {Plot} plot
 * @param {Gaussian} it
 * @param {string} className
 */
export function bell(plot, it, className) {
  const area = svg("path", { class: `live-area ${className}` });
  const edge = svg("path", { class: `live-curve ${className}` });
  plot.layer.append(area, edge);
  plot.add(() => {
    const [low, high] = plot.x;
    const steps = Array.from({ length: 2 * POINTS + 1 }, (_, n) => it.mu + (WIDE * it.sigma * (n - POINTS)) / POINTS);
    const places = [low, ...steps.filter((x) => x > low && x < high), high];
    const points = places.map((x) => `${plot.px(x).toFixed(2)},${plot.py(Math.exp(logDensity(x, it))).toFixed(2)}`);
    const d = `M${points.join("L")}`;
    set(edge, { d });
    set(area, { d: `${d}L${plot.px(high)},${plot.py(0)}L${plot.px(low)},${plot.py(0)}Z` });
  });
}

/** @type {(span: number) => number} a step of 1, 2 or 5 times a power of ten, a few of which make the span */
export function stepOf(span) {
  const power = 10 ** Math.floor(Math.log10(span / LINES));
  return power * ([1, 2, 5].find((each) => each * power * LINES >= span / 2) ?? 10);
}

/**
 * Lays an axis of densities under what is drawn later; `grow` has it hold other ones.
 *
 * @param {Plot} plot its y begins at 0
 * @param {number} least the axis ends no lower
 */
export function densityAxis(plot, least) {
  const node = svg("g", { class: "live-axis-1d live-densities" });
  plot.layer.append(node);
  plot.add(() => {
    const top = plot.y[1];
    const step = stepOf(top);
    const title = svg("text", { x: plot.px(plot.x[0]), y: plot.py(top) + 6 }, "density");
    /** @type {SVGElement[]} */
    const marks = [title];
    for (let n = 1; n * step < 0.93 * top; n += 1) marks.push(...line(plot, n * step));
    node.replaceChildren(...marks);
  });
  return {
    /** @param {number[]} peaks what the axis has to hold */
    grow(peaks) {
      plot.y = [0, Math.max(least, nice(1.15 * Math.max(...peaks)))];
    },
  };
}

/**
 * @param {Plot} plot
 * @param {number} at
 */
function line(plot, at) {
  const y = plot.py(at);
  const text = svg("text", { x: plot.px(plot.x[0]), y: y - 4 }, String(Number(at.toPrecision(3))));
  const rule = svg("line");
  set(rule, { x1: plot.px(plot.x[0]), x2: plot.px(plot.x[1]), y1: y, y2: y });
  return [rule, text];
}
