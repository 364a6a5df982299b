// Of a model with two latent dimensions: the exact posterior, and q's ellipse over it.

import { make, minus, penOf } from "../shared/page.js";
import { set, svg } from "../shared/svg.js";

/** @import { Exact, Q } from "../shared/types.js" */

const VIEW = 200; // units a side
const ORANGE = [1, 0.57, 0.24]; // of a density of 255: the true posterior's colour, as q's is blue

/** The picture of a plane's exact posterior. */
export function posterior() {
  const canvas = make("canvas");
  const ellipses = [2, 1].map((sigma) => ({ sigma, node: svg("ellipse", { "data-sigma": sigma }) }));
  const trail = svg("polyline", { class: "live-trail" });
  const dot = svg("circle", { r: 2.5 });
  const over = svg("svg", { viewBox: `0 0 ${VIEW} ${VIEW}` }, trail, ...ellipses.map((it) => it.node), dot);
  const caption = make("figcaption");
  const node = make("figure", { className: "live-plane" }, make("div", {}, canvas, over), caption);
  /** @type {Exact | null} */
  let truth = null;

  /**
   * @param {Exact} answer
   */
  function take(answer) {
    truth = answer;
    over.style.visibility = "visible";
    const side = answer.cells;
    [canvas.width, canvas.height] = [side, side];
    const image = new ImageData(side, side);
    answer.density.forEach((value, i) => {
      image.data.set([...ORANGE.map((share) => share * value), 255], 4 * i);
    });
    penOf(canvas).putImageData(image, 0, 0);
    const ends = (/** @type {number} */ j) =>
      [-1, 1].map((way) => minus((answer.center[j] + way * answer.half).toFixed(2))).join(" to ");
    const moments = (/** @type {number} */ j) =>
      `z${j}: mean ${minus(answer.mean[j].toFixed(2))}, s.d. ${answer.std[j].toPrecision(2)}, drawn from ${ends(j)}`;
    tell(moments(0), moments(1));
  }

  /** @param {string[]} lines of the two dimensions */
  function tell(...lines) {
    const smalls = lines.map((line) => make("small", {}, line));
    caption.replaceChildren("The exact posterior p(z|x), and q at 1 and 2 σ", ...smalls);
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

  /**
   * Takes a model: one of two dimensions has the picture, and its place before it is drawn.
   *
   * @param {boolean} isPlane
   */
  function about(isPlane) {
    node.hidden = !isPlane;
    clear();
  }

  /** Empties it, until there is a truth of the next drawing. */
  function clear() {
    truth = null;
    over.style.visibility = "hidden";
    [canvas.width, canvas.height] = [1, 1];
    tell(...[0, 1].map((j) => `z${j}: mean –, s.d. –, drawn from – to –`));
  }

  about(false);
  return { node, about, take, show, clear };
}
