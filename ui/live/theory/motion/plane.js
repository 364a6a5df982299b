// The latent plane of a step: the batch's means, q of the followed image with its draw, the arrows of the gradient, and q
// by the new weights.

import { make } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { gradient } from "./recording.js";

/** @import { Pair, Shot } from "./recording.js" */

const REACH = 3.5; // of either axis, both ways
const SIZE = 240; // of the drawing, which is scaled to its place
const LONGEST = 1.2; // units of z of the longest arrow
const HEAD = 0.17; // of an arrow, in units of z
const SEEN = 0.06; // units of z: a shorter arrow is not drawn

const scale = SIZE / (2 * REACH);
const across = (/** @type {number} */ z) => SIZE / 2 + z * scale;
const up = (/** @type {number} */ z) => SIZE / 2 - z * scale;

/** The plane: `node`. */
export class Plane {
  #dots = svg("g", { class: "live-means" });
  #q = svg("circle", { r: 1, class: "live-q" });
  #after = svg("circle", { r: 1, class: "live-q-after", "data-stage": 6 });
  #noise = svg("path", { class: "live-noise", "data-stage": 2 });
  #mean = svg("circle", { r: 3, class: "live-mu", "data-stage": 1 });
  #z = svg("circle", { r: 5, class: "live-z", "data-stage": 2 });
  /** @type {Record<string, SVGPathElement>} */
  #arrows = Object.fromEntries(
    ["loss", "reconstruction", "kl"].map((term) => [
      term,
      svg("path", { class: `live-arrow term-${term}`, "data-stage": 5 }),
    ]),
  );

  constructor() {
    const middle = SIZE / 2;
    const rings = [1, 2, 3].map((r) => svg("circle", { r: r * scale, cx: middle, cy: middle }));
    const axes = svg("path", { d: `M0,${middle}H${SIZE}M${middle},0V${SIZE}` });
    const back = svg("g", { class: "live-prior" }, axes, ...rings);
    set(this.#dots, { "data-stage": 1 });
    set(this.#q, { "data-stage": 1 });
    const layers = [back, this.#dots, this.#q, this.#after, this.#noise, this.#mean, ...Object.values(this.#arrows)];
    const label = "The latent plane: rings of the prior, q of the followed image, its z, and the gradient";
    const picture = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": label });
    picture.append(...layers, this.#z);
    this.node = make("div", { className: "live-motion-plane" }, picture);
  }

  /** @param {Shot} shot */
  show(shot) {
    const { means, q, z, after } = shot;
    this.#dots.replaceChildren(...means.map(([a, b]) => svg("circle", { r: 1.8, cx: across(a), cy: up(b) })));
    place(this.#q, q);
    place(this.#after, after.q);
    const [a, b] = q.mu;
    set(this.#noise, { d: `M${across(a)},${up(b)}L${across(z[0])},${up(z[1])}` });
    this.#mean.style.transform = `translate(${across(a)}px,${up(b)}px)`;
    this.#z.style.transform = `translate(${across(z[0])}px,${up(z[1])}px)`;
    this.#point(shot);
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
    const size = longest > 0 ? LONGEST / longest : 0;
    for (const [term, { mu }] of Object.entries(all)) {
      const to = mu.map((slope) => -slope * size);
      set(this.#arrows[term], { d: arrow(q.mu, to) });
    }
    const within = (/** @type {number} */ value) => Math.max(-LONGEST, Math.min(LONGEST, value));
    const ends = all.loss.sigma.map((slope, j) => {
      const from = q.mu.map((value, i) => (i === j ? value + q.sigma[j] : value));
      const to = [0, 0].map((_, i) => (i === j ? within(-slope * size) : 0));
      return arrow(from, to);
    });
    set(this.#arrows.loss, {
      d: [
        arrow(
          q.mu,
          all.loss.mu.map((slope) => -slope * size),
        ),
        ...ends,
      ].join(""),
    });
  }
}

/**
 * @param {SVGElement} circle of radius 1
 * @param {Pair} q
 */
function place(circle, { mu, sigma }) {
  const [width, height] = sigma.map((value) => value * scale);
  circle.style.transform = `translate(${across(mu[0])}px,${up(mu[1])}px) scale(${width},${height})`;
}

/**
 * An arrow in units of z as a path; nothing where it is too short to be seen.
 *
 * @param {number[]} from
 * @param {number[]} by
 */
function arrow([a, b], [right, upward]) {
  const length = Math.hypot(right, upward);
  if (length < SEEN) return "";
  const [x, y] = [a + right, b + upward];
  const [dx, dy] = [right / length, upward / length];
  const head = Math.min(HEAD, length);
  const wing = (/** @type {1 | -1} */ side) => {
    const [backX, backY] = [x - head * dx, y - head * dy];
    return `${across(backX - (side * head * dy) / 2)},${up(backY + (side * head * dx) / 2)}`;
  };
  return `M${across(a)},${up(b)}L${across(x)},${up(y)}M${wing(1)}L${across(x)},${up(y)}L${wing(-1)}`;
}
