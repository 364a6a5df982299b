// The latent plane of a step: the batch's means, q of the followed image with its draw, the arrows of the gradient, and q
// by the new weights.

import { make } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { gradient } from "./recording.js";

/** @import { Pair, Shot } from "./recording.js" */

const REACH = 3.5; // of either axis, both ways; close up, in units of the larger σ
const SIZE = 240; // of the drawing, which is scaled to its place
const LONGEST = 0.34; // of the reach: the longest arrow
const HEAD = 0.05; // of the reach: that of an arrow
const SEEN = 0.017; // of the reach: a shorter arrow is not drawn
const NARROW = 0.35; // the σ below which q is hardly seen from afar

/** The plane: `node`. */
export class Plane {
  #dots = svg("g", { class: "live-means" });
  #q = svg("circle", { r: 1, class: "live-q" });
  #after = svg("circle", { r: 1, class: "live-q-after", "data-stage": 6 });
  #noise = svg("path", { class: "live-noise", "data-stage": 2 });
  #mean = svg("circle", { r: 3, class: "live-mu", "data-stage": 1 });
  #z = svg("circle", { r: 5, class: "live-z", "data-stage": 2 });
  #ends = svg("path", { class: "live-arrow live-arrow-ends", "data-stage": 5 });
  /** @type {Record<string, SVGPathElement>} */
  #arrows = Object.fromEntries(
    ["loss", "reconstruction", "kl"].map((term) => [
      term,
      svg("path", { class: `live-arrow term-${term}`, "data-stage": 5 }),
    ]),
  );

  #back = svg("path", { class: "live-prior" });
  #view = { x: 0, y: 0, reach: REACH }; // the middle of what is seen, and how far it goes
  isClose = false;

  constructor() {
    set(this.#dots, { "data-stage": 1 });
    set(this.#q, { "data-stage": 1 });
    const layers = [
      this.#back,
      this.#dots,
      this.#q,
      this.#after,
      this.#noise,
      this.#mean,
      this.#ends,
      ...Object.values(this.#arrows),
    ];
    const label = "The latent plane: rings of the prior, q of the followed image, its z, and the gradient";
    const picture = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": label });
    picture.append(...layers, this.#z);
    this.node = make("div", { className: "live-motion-plane" }, picture);
  }

  /** @param {number} z */
  #across(z) {
    return (SIZE / 2) * (1 + (z - this.#view.x) / this.#view.reach);
  }

  /** @param {number} z */
  #up(z) {
    return (SIZE / 2) * (1 - (z - this.#view.y) / this.#view.reach);
  }

  /**
   * @param {Shot} shot
   * @param {boolean} mayBeClose whether a q too small to be seen from afar is shown close up
   */
  show(shot, mayBeClose) {
    const { means, q, z, after } = shot;
    const widest = Math.max(...q.sigma);
    this.isClose = mayBeClose && widest < NARROW;
    const [a, b] = q.mu;
    this.#view = this.isClose ? { x: a, y: b, reach: REACH * widest } : { x: 0, y: 0, reach: REACH };
    this.#drawPrior();
    this.#dots.replaceChildren(
      ...means.map(([x, y]) => svg("circle", { r: 1.8, cx: this.#across(x), cy: this.#up(y) })),
    );
    this.#place(this.#q, q);
    this.#place(this.#after, after.q);
    set(this.#noise, { d: `M${this.#at([a, b])}L${this.#at(z)}` });
    for (const [dot, place] of /** @type {[SVGElement, number[]][]} */ ([
      [this.#mean, q.mu],
      [this.#z, z],
    ]))
      dot.style.transform = `translate(${this.#across(place[0])}px,${this.#up(place[1])}px)`;
    this.#point(shot);
  }

  /** The prior: its axes, and rings at 1, 2 and 3 of its σ. */
  #drawPrior() {
    const [x, y] = [this.#across(0), this.#up(0)];
    const rings = [1, 2, 3].map((ring) => {
      const r = (ring * SIZE) / (2 * this.#view.reach);
      return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0`;
    });
    set(this.#back, { d: `M0,${y}H${SIZE}M${x},0V${SIZE}${rings.join("")}` });
  }

  /** @param {number[]} z */
  #at([x, y]) {
    return `${this.#across(x)},${this.#up(y)}`;
  }

  /**
   * @param {SVGElement} circle of radius 1
   * @param {Pair} q
   */
  #place(circle, { mu, sigma }) {
    const [width, height] = sigma.map((value) => (value * SIZE) / (2 * this.#view.reach));
    circle.style.transform = `translate(${this.#across(mu[0])}px,${this.#up(mu[1])}px) scale(${width},${height})`;
  }

  /**
   * Draws what would make the loss smaller: against the gradient.
   *
   * @param {Shot} shot
   */
  #point(shot) {
    const { q, gradients } = shot;
    const all = { ...gradients, loss: gradient(shot) };
    const longest = Math.max(...Object.values(all).map(({ mu }) => Math.hypot(...mu)));
    const most = LONGEST * this.#view.reach;
    const size = longest > 0 ? most / longest : 0;
    const downhill = (/** @type {number} */ slope) => -slope * size;
    for (const [term, { mu }] of Object.entries(all))
      set(this.#arrows[term], { d: this.#arrow(q.mu, mu.map(downhill)) });
    const within = (/** @type {number} */ value) => Math.max(-most, Math.min(most, value));
    const ends = all.loss.sigma.map((slope, j) => {
      const from = q.mu.map((value, i) => (i === j ? value + q.sigma[j] : value));
      const to = q.mu.map((_, i) => (i === j ? within(downhill(slope)) : 0));
      return this.#arrow(from, to);
    });
    set(this.#ends, { d: ends.join("") });
  }

  /**
   * An arrow in units of z as a path; nothing where it is too short to be seen.
   *
   * @param {number[]} from
   * @param {number[]} by
   */
  #arrow([a, b], [right, upward]) {
    const { reach } = this.#view;
    const length = Math.hypot(right, upward);
    if (length < SEEN * reach) return "";
    const [x, y] = [a + right, b + upward];
    const [dx, dy] = [right / length, upward / length];
    const head = Math.min(HEAD * reach, length);
    const wing = (/** @type {1 | -1} */ side) =>
      this.#at([x - head * (dx + (side * dy) / 2), y - head * (dy - (side * dx) / 2)]);
    return `M${this.#at([a, b])}L${this.#at([x, y])}M${wing(1)}L${this.#at([x, y])}L${wing(-1)}`;
  }
}
