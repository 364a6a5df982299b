// Of a model with two latent dimensions: the exact posterior, and q's ellipse over it.

import { bytes, make, minus, penOf } from "../shared/page.js";
import { set, svg } from "../shared/svg.js";

/** @import { Q, Truth } from "../shared/types.js" */

const VIEW = 200; // units a side

/** The picture of a plane's exact posterior. */
export function posterior() {
  const canvas = make("canvas");
  const ellipses = [2, 1].map((sigma) => ({ sigma, node: svg("ellipse", { "data-sigma": sigma }) }));
  const trail = svg("polyline", { class: "live-trail" });
  const dot = svg("circle", { r: 2.5 });
  const over = svg("svg", { viewBox: `0 0 ${VIEW} ${VIEW}` }, trail, ...ellipses.map((it) => it.node), dot);
  const caption = make("figcaption");
  const node = make("figure", { className: "live-plane" }, make("div", {}, canvas, over), caption);
  /** @type {Truth | null} */
  let truth = null;

  /**
   * Takes the server's `truth`.
   *
   * @param {Truth} answer
   */
  function take(answer) {
    truth = answer;
    node.hidden = false;
    const density = bytes(answer.density);
    const side = answer.cells;
    [canvas.width, canvas.height] = [side, side];
    const image = new ImageData(side, side);
    density.forEach((value, i) => {
      image.data.set([value, value, value, 255], 4 * i);
    });
    penOf(canvas).putImageData(image, 0, 0);
    const ends = (/** @type {number} */ j) =>
      [-1, 1].map((way) => minus((answer.center[j] + way * answer.half).toFixed(2))).join(" to ");
    const moments = (/** @type {number} */ j) =>
      `z${j}: mean ${minus(answer.mean[j].toFixed(2))}, s.d. ${answer.std[j].toPrecision(2)}, drawn from ${ends(j)}`;
    caption.replaceChildren(
      "The exact posterior p(z|x), and q at 1 and 2 σ",
      make("small", {}, moments(0)),
      make("small", {}, moments(1)),
    );
  }

  /**
   * q's ellipse, and the way that its mean went.
   *
   * @param {Q} q
   * @param {Q[]} [path]
   */
  function show({ mu, std }, path = []) {
    if (!truth) return;
    const { center, half } = truth;
    const x = (/** @type {number} */ z) => (VIEW / 2) * (1 + (z - center[0]) / half);
    const y = (/** @type {number} */ z) => (VIEW / 2) * (1 - (z - center[1]) / half);
    const [cx, cy] = [x(mu[0]), y(mu[1])];
    for (const { sigma, node: ellipse } of ellipses) {
      const [rx, ry] = std.map((s) => (sigma * s * VIEW) / 2 / half);
      set(ellipse, { cx, cy, rx, ry });
    }
    set(dot, { cx, cy });
    set(trail, { points: path.map((q) => `${x(q.mu[0])},${y(q.mu[1])}`).join(" ") });
  }

  /** Hides it, until there is a truth of the next drawing. */
  function clear() {
    truth = null;
    node.hidden = true;
  }

  clear();
  return { node, take, show, clear };
}
