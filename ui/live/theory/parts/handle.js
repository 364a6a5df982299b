// A handle in a plot: dragged by mouse or finger, moved by the arrow keys, and stopped at its bounds.

import { minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { dragged } from "./drag.js";

/** @import { Plot } from "./plot.js" */
/**
 * said: its name for a screen reader; at: where it stands in the plot; value: what it moves; low, high, step: of that;
 * to: the value at a place of the plot; onInput: another value, within its bounds.
 *
 * @typedef {{
 *   said: string, at: () => [number, number], value: () => number, low: number, high: number, step?: number,
 *   to: (place: { x: number, y: number }) => number, onInput: (value: number) => void, className?: string,
 * }} Options
 */

const SIZE = 8; // px, and around it the room that a finger needs
const ROOM = 22;

/**
 * Puts a handle into a plot.
 *
 * @param {Plot} plot
 * @param {Options} options
 */
export function handle(plot, { said, at, value, low, high, step = 0.05, to, onInput, className = "" }) {
  const dot = svg("circle", { r: SIZE });
  const room = svg("circle", { r: ROOM, class: "live-room" });
  const attributes = { class: `live-handle ${className}`, role: "slider", tabindex: 0, "aria-label": said };
  const node = svg("g", { ...attributes, "aria-valuemin": low, "aria-valuemax": high }, room, dot);
  plot.layer.append(node);
  plot.add(() => {
    const [x, y] = at();
    set(node, { transform: `translate(${plot.px(x)},${plot.py(y)})`, "aria-valuenow": value().toFixed(2) });
    node.setAttribute("aria-valuetext", minus(value().toFixed(2)));
  });
  const put = (/** @type {number} */ next) => onInput(Math.max(low, Math.min(high, next)));
  dragged(node, (event) => put(to(plot.at(event))));
  node.addEventListener("keydown", (event) => {
    const ways = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
    const way = ways[/** @type {keyof typeof ways} */ (event.key)];
    if (event.key === "Home") put(low);
    else if (event.key === "End") put(high);
    else if (way) put(value() + way * step * (event.shiftKey ? 10 : 1));
    else return;
    event.preventDefault();
  });
  return node;
}
