// A square of latent space: a canvas for what is many, and an SVG over it for what can be named or dragged.

import { make, penOf } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";

const SIDE = 470; // units of the SVG, as wide as it is at most

/** A square about the prior's mean: `node`. Places are in standard deviations of the prior. */
export class Square {
  canvas = make("canvas");
  layer = svg("g");
  svg = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "group" });
  node = make("div", { className: "live-square" }, this.canvas, this.svg);

  /**
   * @param {string} label
   * @param {number} half of its side
   */
  constructor(label, half) {
    this.half = half;
    this.svg.setAttribute("aria-label", label);
    const middle = SIDE / 2;
    const axis = { class: "live-axis" };
    const circles = [1, 2, 3].map((n) => svg("circle", { class: "live-prior", cx: middle, cy: middle, "data-n": n }));
    this.svg.append(
      svg("line", { ...axis, x1: 0, x2: SIDE, y1: middle, y2: middle }),
      svg("line", { ...axis, x1: middle, x2: middle, y1: 0, y2: SIDE }),
      ...circles,
      this.layer,
    );
    this.circles = circles;
    this.resize(half);
  }

  /** @param {number} half of its side, from now on */
  resize(half) {
    this.half = half;
    for (const [n, circle] of this.circles.entries()) set(circle, { r: (n + 1) * this.unit });
  }

  /** Units of the SVG in one standard deviation. */
  get unit() {
    return SIDE / 2 / this.half;
  }

  /** @param {number} x */
  px(x) {
    return SIDE / 2 + x * this.unit;
  }

  /** @param {number} y */
  py(y) {
    return SIDE / 2 - y * this.unit;
  }

  /**
   * The place under a pointer.
   *
   * @param {{ clientX: number, clientY: number }} event
   */
  at({ clientX, clientY }) {
    const box = this.svg.getBoundingClientRect();
    const across = (clientX - box.left) / box.width - 0.5;
    const up = 0.5 - (clientY - box.top) / box.height;
    return { x: 2 * this.half * across, y: 2 * this.half * up };
  }

  /**
   * Draws dots; px of the canvas.
   *
   * @param {ArrayLike<number>} places two numbers each
   * @param {(n: number) => string} colour
   */
  dots(places, colour) {
    const side = 2 * SIDE;
    if (this.canvas.width !== side) [this.canvas.width, this.canvas.height] = [side, side];
    const pen = penOf(this.canvas);
    pen.clearRect(0, 0, side, side);
    pen.globalAlpha = 0.55;
    for (let n = 0; 2 * n < places.length; n += 1) {
      pen.fillStyle = colour(n);
      pen.fillRect(2 * this.px(places[2 * n]) - 2.5, 2 * this.py(places[2 * n + 1]) - 2.5, 5, 5);
    }
  }
}
