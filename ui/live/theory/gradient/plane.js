// The latent plane with q, its held noise as a cloud of draws, and the gradient's arrows at the draws, μ and σ.

import { model, pictures } from "../../shared/model.js";
import { make, paint, SIDE } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { Plot } from "../parts/plot.js";
import { grip } from "./grip.js";
import { drawsOf, ofKl, ofReconstruction } from "./through.js";

/** @import { Prior, State } from "./through.js" */

const TILES = 14; // a side
const RATIO = 1.045; // of height to width, with the axis below: a square within
const WHOLE = 3.5; // prior standard deviations to either side of the whole plane
const CLOSE = 5; // standard deviations of q to either side of it
const FAR = 2; // standard deviations of q from its mean to the handles of σ
const [SHORT, LONG] = [9, 26]; // px of an arrow of 1 nat per unit, at a draw and at μ or σ; it grows as its logarithm
const HEAD = 6; // px
const [LEAST, MOST] = [0.005, 3]; // of σ
const FAINT = [0.5, 0.5]; // what black is lifted to, and how much of white is left

let planes = 0; // on this page: each has pictures of its own

/** The plane: `node`. */
export class Plane {
  #key = `reparameterization-map-${planes++}`;
  #canvas = make("canvas", { width: TILES * SIDE, height: TILES * SIDE });
  #isWhole = false; // whether the whole plane is shown
  #ellipses = [2, 1].map((sigma) => ({ sigma, node: svg("ellipse", { "data-sigma": sigma }) }));
  #draws = svg("path", { class: "live-at-draws" });
  #dots = svg("g", { class: "live-dots-of-q" });
  #ofKl = svg("path", { class: "live-pull term-kl" });
  #ofReconstruction = svg("path", { class: "live-pull term-reconstruction" });
  /** @type {Prior} */
  prior = { mean: 0, std: 1 };

  /**
   * @param {State} state
   * @param {(state: Partial<State>) => void} moved q was dragged
   */
  constructor(state, moved) {
    this.state = state;
    this.plot = new Plot({ x: [-WHOLE, WHOLE], y: [-WHOLE, WHOLE], label: "z on its plane", ratio: RATIO });
    const { plot } = this;
    const under = this.#ellipses.map((it) => it.node);
    plot.layer.append(...under, this.#draws, this.#dots, this.#ofKl, this.#ofReconstruction);
    plot.add(() => this.#lay());
    this.#handles(moved);
    this.node = plot.node;
    this.node.classList.add("live-cloud");
    this.node.prepend(this.#canvas);
  }

  /** @param {(state: Partial<State>) => void} moved */
  #handles(moved) {
    const { plot, state } = this;
    for (const j of [0, 1])
      handle(plot, {
        said: `σ of z${j}`,
        at: () => {
          const [a, b] = state.mu;
          return j ? [a, b + FAR * state.std[1]] : [a + FAR * state.std[0], b];
        },
        value: () => state.std[j],
        low: LEAST,
        high: MOST,
        step: 0.01,
        to: ({ x, y }) => Math.abs([x, y][j] - state.mu[j]) / FAR,
        className: "live-of-q",
        onInput: (value) => moved({ std: state.std.map((one, k) => (k === j ? value : one)) }),
      });
    grip(plot, { said: "μ", at: () => state.mu, onInput: (mu) => moved({ mu }), className: "live-of-q" });
  }

  /** Draws again what follows from q. */
  show() {
    this.plot.draw();
  }

  /**
   * Looks at q and what lies around it, or at the whole plane.
   *
   * @param {boolean} isClose
   * @param {boolean} [hasPictures] false where `decode` follows
   */
  look(isClose, hasPictures = true) {
    const { mu, std } = this.state;
    const whole = WHOLE * this.prior.std;
    const half = isClose ? Math.min(whole, Math.max(0.1 * this.prior.std, CLOSE * Math.max(...std))) : whole;
    const middle = isClose ? mu : mu.map(() => this.prior.mean);
    const [x, y] = middle.map((one) => /** @type {[number, number]} */ ([one - half, one + half]));
    this.#isWhole = half === whole && middle.every((one) => one === this.prior.mean);
    Object.assign(this.plot, { x, y });
    Object.assign(this.plot.options, { ticks: ticks(x) });
    this.plot.draw();
    if (hasPictures) this.decode();
  }

  /** Shows the whole plane where q has left what is shown. */
  follow() {
    const { plot, state } = this;
    const isOut = [plot.x, plot.y].some(
      ([low, high], j) => state.mu[j] - FAR * state.std[j] < low || state.mu[j] + FAR * state.std[j] > high,
    );
    if (isOut && !this.#isWhole) this.look(false);
    else plot.draw();
  }

  /** Has the pictures of what is shown decoded. */
  decode() {
    if (model.about?.dims.length !== 2) return;
    delete this.node.dataset.tiles;
    paint(this.#canvas, new Uint8Array(TILES * TILES * SIDE * SIDE).fill(255 * FAINT[0]), TILES, TILES); // not the last ones
    const [[left, right], [low, high]] = [this.plot.x, this.plot.y];
    const [a, b, half] = [(left + right) / 2, (low + high) / 2, (right - left) / 2];
    const at = (/** @type {number} */ n) => half * ((n + 0.5) * (2 / TILES) - 1);
    const points = Array.from({ length: TILES * TILES }, (_, n) =>
      Float32Array.of(a + at(n % TILES), b - at(Math.floor(n / TILES))),
    );
    const all = new Uint8Array(TILES * TILES * SIDE * SIDE).fill(255 * FAINT[0]);
    const put = (/** @type {number} */ n, /** @type {Uint8Array} */ grey) =>
      all.set(
        grey.map((value) => 255 * FAINT[0] + FAINT[1] * value),
        SIDE * SIDE * n,
      );
    pictures(this.#key, points, put, () => {
      paint(this.#canvas, all, TILES, TILES);
      this.node.dataset.tiles = String(half);
    });
  }

  #lay() {
    const { plot, state } = this;
    const { mu, std, slopes, isDetached } = state;
    const at = (/** @type {number[]} */ z) => [plot.px(z[0]), plot.py(z[1])];
    const [cx, cy] = at(mu);
    const [right, up] = at(mu.map((one, j) => one + std[j]));
    for (const { sigma, node } of this.#ellipses)
      set(node, { cx, cy, rx: sigma * (right - cx), ry: sigma * (cy - up) });
    const all = drawsOf(state);
    const draws = all.map(at);
    const dot = (/** @type {number[]} */ [cx, cy], /** @type {number} */ l) =>
      svg("circle", { cx, cy, r: 4, "data-z": all[l].map((one) => one.toFixed(5)).join() });
    this.#dots.replaceChildren(...draws.map(dot));
    const each = slopes?.map(({ slope }, l) => arrow(draws[l], slope, SHORT)) ?? [];
    set(this.#draws, { d: each.join("") });
    this.#draws.classList.toggle("live-stopped", isDetached);
    const ends = [at([mu[0] + FAR * std[0], mu[1]]), at([mu[0], mu[1] + FAR * std[1]])];
    const of = (/** @type {import("./through.js").Slopes2 | null} */ it) =>
      it
        ? arrow([cx, cy], it.mu, LONG) + arrow(ends[0], [it.std[0], 0], LONG) + arrow(ends[1], [0, it.std[1]], LONG)
        : "";
    set(this.#ofKl, { d: of(ofKl(state, this.prior)) });
    set(this.#ofReconstruction, { d: of(ofReconstruction(state)) });
  }
}

/**
 * The path of an arrow in the direction of a slope, which points up where its second part is above 0.
 *
 * @param {number[]} from px
 * @param {number[]} slope nats per unit
 * @param {number} size px that one nat per unit is long
 */
function arrow([x, y], [a, b], size) {
  const length = Math.hypot(a, b);
  if (!(length > 0.05)) return "";
  const [right, down] = [a / length, -b / length];
  const reach = size * Math.asinh(length);
  const head = Math.min(HEAD, reach / 2);
  const [tipX, tipY] = [x + right * reach, y + down * reach];
  const side = (/** @type {number} */ way) =>
    `${(tipX - head * (right - way * down)).toFixed(1)},${(tipY - head * (down + way * right)).toFixed(1)}`;
  const tip = `${tipX.toFixed(1)},${tipY.toFixed(1)}`;
  return `M${x.toFixed(1)},${y.toFixed(1)}L${tip}M${side(1)}L${tip}L${side(-1)}`;
}

/**
 * Round places on an axis.
 *
 * @param {[number, number]} ends
 */
function ticks([low, high]) {
  const step = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].find((it) => (high - low) / it <= 7) ?? 20;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, n) => Number(((first + n) * step).toFixed(2)));
}
