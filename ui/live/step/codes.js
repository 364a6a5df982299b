// Pictures of q(z|x) with draws of z: an ellipse on the plane, or a bar for each dimension.

import { minus } from "../shared/page.js";
import { svg } from "../shared/svg.js";

/** @import { Q } from "../shared/types.js" */

const MOST = 24; // dimensions that are drawn; the rest would be too thin
export const VIEW = 96; // units across a picture of q

/**
 * @param {Q} q
 * @param {number[][]} draws
 * @param {number} reach of the picture to either side of 0
 */
export const codeOf = (q, draws, reach) =>
  q.mu.length === 2 ? onPlane(q, draws, reach) : alongDimensions(q, draws, reach);

/** @param {number | null} value */
const number = (value) => (value === null ? "not finite" : minus(value.toFixed(2)));

/**
 * μ ± σ of each dimension, and the draws of z.
 *
 * @param {Q} q
 * @param {number[][]} draws
 * @param {number} reach
 */
function alongDimensions({ mu, std }, draws, reach) {
  const count = Math.min(MOST, mu.length);
  const y = (/** @type {number} */ value) => 32 - (value / reach) * 30;
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${VIEW} 64` },
    svg("line", { x1: 0, x2: VIEW, y1: 32, y2: 32, class: "live-axis" }),
  );
  for (let j = 0; j < count; j += 1) {
    if (![mu[j], std[j]].every(Number.isFinite)) continue;
    const x = ((j + 0.5) * VIEW) / count;
    const ends = { x1: x, x2: x, y1: y(mu[j] - std[j]), y2: y(mu[j] + std[j]) };
    const r = Math.min(3, 0.8 + 16 / count);
    drawing.append(
      svg("line", { ...ends, class: "live-spread", "stroke-width": Math.min(8, 60 / count) }),
      ...draws.filter((z) => Number.isFinite(z[j])).map((z) => dot(x, y(z[j]), r)),
    );
  }
  drawing.append(inWords({ mu, std }, draws, count));
  return drawing;
}

/**
 * The ellipses of a q of two dimensions, and the draws of z.
 *
 * @param {Q} q
 * @param {number[][]} draws
 * @param {number} reach
 */
function onPlane({ mu, std }, draws, reach) {
  const scale = (VIEW / 2 - 3) / reach;
  const x = (/** @type {number} */ value) => VIEW / 2 + value * scale;
  const y = (/** @type {number} */ value) => VIEW / 2 - value * scale;
  const middle = VIEW / 2;
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${VIEW} ${VIEW}` },
    svg("line", { x1: 0, x2: VIEW, y1: middle, y2: middle, class: "live-axis" }),
    svg("line", { x1: middle, x2: middle, y1: 0, y2: VIEW, class: "live-axis" }),
  );
  if ([...mu, ...std].every(Number.isFinite))
    for (const sigma of [2, 1]) {
      const [rx, ry] = std.map((s) => sigma * s * scale);
      drawing.append(svg("ellipse", { cx: x(mu[0]), cy: y(mu[1]), rx, ry, class: "live-spread", fill: "none" }));
    }
  drawing.append(
    ...draws.filter((z) => z.every(Number.isFinite)).map((z) => dot(x(z[0]), y(z[1]), 2.5)),
    inWords({ mu, std }, draws, 2),
  );
  return drawing;
}

/**
 * @param {number} cx
 * @param {number} cy
 * @param {number} r
 */
const dot = (cx, cy, r) => svg("circle", { cx, cy, r, class: "live-draw" });

/**
 * @param {Q} q
 * @param {number[][]} draws
 * @param {number} count of dimensions
 */
function inWords({ mu, std }, draws, count) {
  const words = mu.slice(0, count).map((m, j) => {
    const drawn = draws.map((z) => number(z[j])).join(", ");
    return `z${j}: μ ${number(m)}, σ ${number(std[j])}, drawn ${drawn}`;
  });
  return svg("title", {}, words.join("\n"));
}
