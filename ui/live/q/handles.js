// q by its ellipse: the middle moves μ, the two ends of its axes σ; and what else is pointed at on the plane.

import { set, svg } from "../shared/svg.js";

/** @import { Q } from "../shared/types.js" */
/**
 * An ellipse of q at one standard deviation, in units of the picture.
 *
 * @typedef {{ cx: number, cy: number, rx: number, ry: number }} Ellipse
 */

const [DOT, END, HELD] = [1.8, 3, 5]; // units of the radii: of what is seen, and of what can be taken of the middle
const APART = 8; // units between the middle and an end, below which the end cannot be taken
const OUT = 2; // standard deviations from the middle to an end
const LEAST = 1e-3; // of σ, relative to what it was when it was taken

/** The handles of an ellipse. */
export class Handles {
  /** @type {Q | null} */
  #q = null;
  #ends = [0, 1].map(() => svg("circle", { r: END, class: "live-end" }));
  #dot = svg("circle", { r: DOT, class: "live-middle" });
  #middle = svg("circle", { r: HELD, class: "live-held" });

  /**
   * @param {SVGElement} over what lies over the picture
   * @param {{
   *   at: (event: PointerEvent) => number[],
   *   onq: (q: Q) => void,
   *   pointed: (z: number[] | null) => void,
   * }} events at: the point of the plane under a pointer; onq: q was moved; pointed: at that point, or at none any more
   */
  constructor(over, { at, onq, pointed }) {
    this.over = over;
    this.at = at;
    this.onq = onq;
    over.append(this.#dot, this.#middle, ...this.#ends);
    this.#take(this.#middle, (q, z) => ({ mu: z, std: q.std }));
    for (const [k, end] of this.#ends.entries())
      this.#take(end, ({ mu, std }, z) => ({
        mu,
        std: std.map((s, j) => (j === k ? Math.max(Math.abs(z[j] - mu[j]) / OUT, LEAST * s) : s)),
      }));
    over.addEventListener("pointermove", (event) => {
      if (!event.buttons || event.target === over) pointed(at(event));
    });
    over.addEventListener("pointerdown", (event) => {
      if (event.target === over) pointed(at(event));
    });
    for (const name of /** @type {const} */ (["pointerleave", "pointercancel"]))
      over.addEventListener(name, () => pointed(null));
  }

  /**
   * Lets a handle be dragged.
   *
   * @param {SVGElement} node
   * @param {(q: Q, z: number[]) => Q} moved q with the handle at a point
   */
  #take(node, moved) {
    /** @type {Q | null} */
    let held = null;
    node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // it moves, not the page
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.#q) return;
      held = this.#q;
      node.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    node.addEventListener("pointermove", (event) => {
      if (held) this.onq(moved(held, this.at(event)));
    });
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
      node.addEventListener(name, () => {
        held = null;
      });
  }

  /**
   * @param {Q} q
   * @param {Ellipse} ellipse
   */
  show(q, { cx, cy, rx, ry }) {
    this.#q = q;
    for (const node of [this.#dot, this.#middle]) set(node, { cx, cy });
    this.over.classList.toggle("live-small", Math.max(rx, ry) < HELD / 2);
    const places = [
      { cx: cx + OUT * rx, cy, visibility: OUT * rx > APART ? "inherit" : "hidden" },
      { cx, cy: cy - OUT * ry, visibility: OUT * ry > APART ? "inherit" : "hidden" },
    ];
    for (const [k, place] of places.entries()) set(this.#ends[k], place);
  }
}
