// Where the draws lie on a plane: the prior's in grey, those of them that carry the sum in orange, q's in blue.

import { make, penOf } from "../../shared/page.js";

/** @import { Known } from "../image.js" */

const SIDE = 400; // px of the canvas
const REACH = 3.5; // prior standard deviations
const MOST = 2000; // draws of each that are drawn

/** The picture: `node`. */
export class Scatter {
  #canvas = make("canvas", { width: SIDE, height: SIDE });
  #says = make("figcaption", {}, "z drawn from the prior, from q, and the few that count");
  node = make("figure", { className: "live-scatter", hidden: true }, this.#canvas, this.#says);

  /**
   * @param {Known | null} known
   * @param {{ prior: number[][], q: number[][] }} places
   * @param {number} n of each
   * @param {number[]} carriers the prior's that carry the sum, by their numbers
   */
  show(known, places, n, carriers) {
    this.node.hidden = known?.about.dims.length !== 2;
    if (!known || this.node.hidden) return;
    const pen = penOf(this.#canvas);
    pen.clearRect(0, 0, SIDE, SIDE);
    const { prior_mean: mean, prior_std: std } = known.about;
    const at = (/** @type {number} */ value) => (value - mean) / (REACH * std);
    const dots = (/** @type {number[][]} */ all, /** @type {string} */ colour, /** @type {number} */ size) => {
      pen.fillStyle = colour;
      for (const [a, b] of all) {
        pen.beginPath();
        pen.arc((SIDE / 2) * (1 + at(a)), (SIDE / 2) * (1 - at(b)), size, 0, 2 * Math.PI);
        pen.fill();
      }
    };
    const style = getComputedStyle(this.node);
    dots(places.prior.slice(0, Math.min(n, MOST)), style.getPropertyValue("--line"), 2);
    dots(places.q.slice(0, Math.min(n, MOST)), style.getPropertyValue("--reconstruction"), 2);
    dots(
      carriers.map((number) => places.prior[number]),
      style.getPropertyValue("--gap"),
      5,
    );
  }
}
