// Pictures and bars that can be chosen one by one: a frame lies over the one below the pointer, or goes from one to the
// next by the arrow keys; a press, a tap or Enter chooses it.

import { make, SIDE } from "./page.js";

const NOTHING = "Pictures, which lead nowhere yet"; // where a cell has no name

/**
 * Where a cell lies, in shares of the place that holds all of them.
 *
 * @typedef {{ left: number, top: number, width: number, height: number }} Box
 *
 * count, across: how many there are, and in a row; name: what choosing one does; passed: called when the keys come by.
 *
 * @typedef {{ count: () => number, across: () => number, box: (n: number) => Box }} Grid
 * @typedef {{ name: (n: number) => string, choose: (n: number) => void, passed?: (n: number) => void }} Choice
 */

/**
 * Lets the cells of a place be chosen by keys.
 *
 * @param {HTMLElement} place whose children may lie over each other
 * @param {Grid} grid
 * @param {Choice} choice
 * @returns {(n: number) => void} brings the frame to a cell, as a pointer does
 */
export function cells(place, { count, across, box }, { name, choose, passed = () => {} }) {
  const frame = make("button", { type: "button", className: "live-cell" });
  let at = 0;
  const go = (/** @type {number} */ n) => {
    at = Math.max(0, Math.min(count() - 1, n));
    for (const [side, share] of Object.entries(box(at))) frame.style.setProperty(side, `${100 * share}%`);
    frame.ariaLabel = name(at) || NOTHING;
    place.title = name(at);
  };
  frame.ariaLabel = name(at) || NOTHING;
  frame.onfocus = () => go(at);
  frame.onclick = () => choose(at);
  frame.onkeydown = (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across(), ArrowDown: across() };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    go(at + step);
    passed(at);
  };
  place.classList.add("live-cells");
  place.append(frame);
  return go;
}

/**
 * Lets the pictures of 28×28 on a canvas be chosen.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ columns: number, tops: number[] }} grid tops: where each row begins, in pixels of the canvas
 * @param {Choice} choice
 * @returns {HTMLElement} the canvas with its frame
 */
export function tiles(canvas, { columns, tops }, choice) {
  const place = make("div", {}, canvas);
  const grid = {
    count: () => columns * tops.length,
    across: () => columns,
    box: (/** @type {number} */ n) => ({
      left: (n % columns) / columns,
      top: tops[Math.floor(n / columns)] / canvas.height,
      width: 1 / columns,
      height: SIDE / canvas.height,
    }),
  };
  const go = cells(place, grid, choice);
  const under = (/** @type {MouseEvent} */ { offsetX, offsetY }) => {
    const [x, y] = [offsetX / canvas.clientWidth, (offsetY / canvas.clientHeight) * canvas.height];
    const row = tops.findLastIndex((top) => top <= Math.max(0, y));
    return row * columns + Math.max(0, Math.min(columns - 1, Math.floor(x * columns)));
  };
  canvas.onpointermove = (event) => go(under(event));
  canvas.onclick = (event) => {
    go(under(event));
    choice.choose(under(event));
  };
  return place;
}
