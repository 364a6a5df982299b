// A handle that goes in both directions of a plot: by mouse, finger, or the arrow keys.

import { minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { dragged } from "../parts/drag.js";

/** @import { Plot } from "../parts/plot.js" */

const SIZE = 8; // px, and around it the room that a finger needs
const ROOM = 22;
const STEP = 0.02; // of an arrow key, and ten times that with Shift
/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * Puts a grip into a plot.
 *
 * @param {Plot} plot
 * @param {{ said: string, at: () => number[], onInput: (place: number[]) => void, className: string }} options said: its
 *   name for a screen reader; onInput: another place, within the plot
 */
export function grip(plot, { said, at, onInput, className }) {
  const attributes = { class: `live-handle ${className}`, role: "slider", tabindex: 0, "aria-label": said };
  const node = svg("g", attributes, svg("circle", { r: ROOM, class: "live-room" }), svg("circle", { r: SIZE }));
  plot.layer.append(node);
  plot.add(() => {
    const [x, y] = at();
    set(node, { transform: `translate(${plot.px(x)},${plot.py(y)})`, "aria-valuenow": x.toFixed(2) });
    node.setAttribute("aria-valuetext", minus(x.toFixed(2)).concat(", ", minus(y.toFixed(2))));
  });
  const put = (/** @type {number[]} */ place) =>
    onInput([plot.x, plot.y].map(([low, high], k) => Math.max(low, Math.min(high, place[k]))));
  dragged(node, (event) => {
    const { x, y } = plot.at(event);
    put([x, y]);
  });
  node.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    if (!way) return;
    const step = STEP * (event.shiftKey ? 10 : 1);
    put(at().map((one, k) => one + step * way[k]));
    event.preventDefault();
  });
  return node;
}
