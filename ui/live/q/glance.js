// What a q that moves is worth, computed in this browser where it has the plane of the model, so that a hand that drags q
// waits for no server.

import { failed } from "../shared/ask.js";
import { bytes } from "../shared/page.js";
import { atOnce, QUICK, weigh } from "./weigh.js";

/** @import { Answer, Given, Q, Terms } from "../shared/types.js" */
/** @import { Plane } from "./weigh.js" */
/** @typedef {(version: string) => Promise<Answer<{ plane: Plane }>>} Load */

/** Weighs q by a quick rule, once a frame. */
export class Glance {
  /** @type {Given | null} */
  #of = null; // what the model makes of the drawing
  /** @type {{ plane: Plane, x: Float32Array } | null} */
  #known = null; // as soon as they are here
  /** @type {(() => void) | null} */
  #next = null; // of the next frame

  /** @param {Load} load the plane of the model in use */
  constructor(load) {
    this.load = load;
  }

  /**
   * Gets the plane, where the model has one; of a drawing that is seen in part this browser does not know the terms.
   *
   * @param {Given} answer
   */
  async prepare(answer) {
    if (this.#of === answer || answer.z.length !== 2 || answer.hidden) return;
    this.#of = answer;
    this.#known = null;
    const found = await this.load(answer.version);
    if (this.#of !== answer || failed(found)) return;
    this.#known = { plane: found.plane, x: Float32Array.from(bytes(answer.seen), (value) => value / 255) };
  }

  /**
   * Calls then(terms) with the next frame, of the last q of many.
   *
   * @param {Given} answer
   * @param {Q} q
   * @param {(terms: Terms) => void} then
   * @returns {boolean} false where this browser cannot
   */
  weigh(answer, q, then) {
    const known = this.#of === answer ? this.#known : null;
    if (!known) return false;
    if (!this.#next)
      requestAnimationFrame(() => {
        const next = this.#next;
        this.#next = null; // first: a frame that fails does not end the ones after it
        next?.();
      });
    this.#next = () => {
      const { elbo, kl, reconstruction } = atOnce(weigh(known.plane, known.x, q, null, QUICK));
      then({ elbo, kl, reconstruction_term: reconstruction, scatter: null });
    };
    return true;
  }
}
