// z = μ + σ ⊙ ε in numbers, for a few dimensions.

import { make, minus } from "../shared/page.js";

/** @import { Q } from "../shared/types.js" */

const SHOWN = 3; // dimensions that are written out: those of largest KL

/** The sum in numbers. */
export class Sum {
  /** @type {number[]} */
  #dims = [];
  #lines = make("div", { className: "live-sum" });
  node = make("div", { className: "live-throw" }, make("div", { className: "live-formula" }), this.#lines);

  /** @param {{ digits: number }} options digits: of ε, after the point */
  constructor({ digits }) {
    this.digits = digits;
    /** @type {HTMLElement} */ (this.node.firstChild).textContent = "z = μ + σ ⊙ ε";
  }

  /** @param {number[]} dims dimensions, the one of largest KL first */
  about(dims) {
    this.#dims = dims.slice(0, SHOWN);
  }

  /**
   * Writes the sum.
   *
   * @param {Q} q
   * @param {number[] | null} eps null: 0
   * @param {number[]} [z] what it comes to, where that is to be written
   */
  show({ mu, std }, eps, z) {
    const line = (/** @type {number} */ j) => {
      const sum = `${of(mu[j])} + ${of(std[j])} · `;
      const noise = make("b", {}, of(eps ? eps[j] : 0, this.digits));
      const total = z ? [" ", make("span", {}, `= ${of(z[j])}`)] : [];
      return make("div", {}, make("small", {}, `z${j} `), sum, noise, ...total);
    };
    this.#lines.replaceChildren(...this.#dims.map(line));
  }

  clear() {
    this.#lines.replaceChildren();
  }
}

/**
 * A number for people; null is what the server makes of one that is not finite.
 *
 * @param {number | null} value
 */
const of = (value, digits = 2) => (value === null ? "not finite" : minus(value.toFixed(digits)));
