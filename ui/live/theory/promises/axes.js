// The horizontal lines of a plot's axis of values, with their numbers at the left.

import { minus } from "../../shared/page.js";
import { svg } from "../../shared/svg.js";
import { ticks } from "../parts/curves.js";

/** @import { Plot } from "../parts/plot.js" */

const EDGE = 8; // px, as Plot has it

/**
 * Has a plot draw them, and a title at the top.
 *
 * @param {Plot} plot
 * @param {string} title
 */
export function valueAxis(plot, title) {
  const grid = svg("g", { class: "live-axis-1d" });
  plot.layer.append(grid);
  plot.add(() => {
    const [low, high] = plot.y;
    const lines = ticks(low, high).flatMap((value) => [
      svg("line", { class: "live-grid-line", x1: EDGE, x2: plot.width - EDGE, y1: plot.py(value), y2: plot.py(value) }),
      svg("text", { x: EDGE, y: plot.py(value) - 4 }, minus(String(value))),
    ]);
    grid.replaceChildren(...lines, svg("text", { x: plot.width - EDGE, y: 16, "text-anchor": "end" }, title));
  });
}

/**
 * A path through points of a plot.
 *
 * @param {Plot} plot
 * @param {[number, number][]} points
 */
export const through = (plot, points) =>
  points.length ? `M${points.map(([x, y]) => `${plot.px(x).toFixed(1)},${plot.py(y).toFixed(1)}`).join("L")}` : "";
