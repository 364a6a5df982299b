// The tightest bound is not the best teacher of q: the q and the exact posterior of one image under both shipped planes.

import { exactPosterior } from "../../exact/exact.js";
import { answerOf, failed, newest } from "../../shared/ask.js";
import { model } from "../../shared/model.js";
import { make, penOf } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";

/** @import { Exact, Q } from "../../shared/types.js" */
/** @import { Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */

/** The shipped models of a plane. */
export const PLANES = { "mnist-mlp-2d": "trained by the ELBO", "mnist-mlp-2d-iw": "finished by K = 5 draws" };

const VIEW = 100; // units a side
const ORANGE = [213, 94, 0];

/**
 * How many times as wide as the posterior q is: the geometric mean over both axes.
 *
 * @param {Q} q
 * @param {{ std: number[] }} posterior
 */
export const wider = (q, { std }) =>
  Math.exp(q.std.reduce((sum, one, j) => sum + Math.log(one / std[j]), 0) / q.std.length);

/** Both side by side: `node`. */
export class Teachers {
  #turn = newest();
  #seen = "";
  #figures = Object.entries(PLANES).map(([id, title]) => ({ id, ...figure(title) }));
  node = make(
    "div",
    { className: "live-teachers" },
    make("p", {}, "The tightest bound is not the best teacher: q over p(z|x)"),
    ...this.#figures.map(({ node }) => node),
  );

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
  }

  /**
   * Shows what both models make of the image.
   *
   * @param {Known} known with its exact posterior
   */
  async see(known) {
    const key = `${model.id} ${known.seen}`;
    if (key === this.#seen) return;
    this.#seen = key;
    const isNewest = this.#turn();
    const own = model.id;
    for (const { show } of this.#figures) show(null);
    for (const { id, show } of [...this.#figures].sort((a) => (a.id === own ? -1 : 1))) {
      const found = id === own ? { q: known.q, exact: known.exact } : await this.#ask(id, known);
      if (!isNewest()) return;
      if (found?.exact) {
        show({ q: found.q, exact: found.exact });
        this.frame.show({ [id === "mnist-mlp-2d" ? "wide_elbo" : "wide_k"]: wider(found.q, found.exact) });
      }
    }
  }

  /**
   * What another model makes of the image; null where that cannot be known.
   *
   * @param {string} id
   * @param {Known} known
   */
  async #ask(id, { looked }) {
    const { server } = this.frame;
    const answer = await answerOf(server.look({ model: id, image: looked.grey, draws: 1 }));
    if (failed(answer)) return null;
    const q = { mu: answer.z, std: answer.std };
    const exact = await exactPosterior({ model: id, version: answer.version, seen: answer.seen, q }, server);
    return failed(exact) ? null : { q, exact };
  }
}

/** @param {string} title */
function figure(title) {
  const canvas = make("canvas");
  const ellipses = [2, 1].map((sigma) => svg("ellipse", { "data-sigma": sigma }));
  const over = svg("svg", { viewBox: `0 0 ${VIEW} ${VIEW}` }, ...ellipses);
  const says = make("small", {}, "…");
  const place = make("div", {}, canvas, over);
  const node = make("figure", { className: "live-teacher" }, make("figcaption", {}, title), place, says);
  /** @param {{ q: Q, exact: Exact } | null} found */
  const show = (found) => {
    over.style.visibility = found ? "" : "hidden";
    if (!found) {
      says.textContent = "…";
      return;
    }
    const { q, exact } = found;
    paintDensity(canvas, exact);
    const place = (/** @type {number} */ k, /** @type {number} */ way) =>
      (VIEW / 2) * (1 + (way * (q.mu[k] - exact.center[k])) / exact.half);
    const [rx, ry] = q.std.map((std) => ((VIEW / 2) * std) / exact.half);
    for (const [n, node] of ellipses.entries())
      set(node, { cx: place(0, 1), cy: place(1, -1), rx: (2 - n) * rx, ry: (2 - n) * ry });
    says.textContent = `q is ${wider(q, exact).toFixed(2)} times as wide as p(z|x)`;
  };
  return { node, show };
}

/** @param {HTMLCanvasElement} canvas @param {Exact} exact */
function paintDensity(canvas, { cells, density }) {
  Object.assign(canvas, { width: cells, height: cells });
  const image = new ImageData(cells, cells);
  density.forEach((value, i) => {
    image.data.set([...ORANGE, value], 4 * i);
  });
  penOf(canvas).putImageData(image, 0, 0);
}
