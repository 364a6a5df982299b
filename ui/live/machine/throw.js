// The reparameterization, thrown by hand: a die for ε, z = μ + σ ⊙ ε in numbers, and what that z decodes to.

import { model as current, picture, pictureOfServer } from "../shared/model.js";
import { make } from "../shared/page.js";
import { normal } from "../space/normal.js";
import { Sum } from "./sum.js";

/** @import { Description, Q } from "../shared/types.js" */

/** A die, the sum in numbers, and the noise that was thrown. */
export class Throw {
  /** @type {Q | null} */
  #q = null;
  /** @type {number[] | null} */
  #eps = null; // null: z is the mean
  #sum = new Sum({ digits: 1 });
  #back = make("button", { type: "button", className: "live-rest", textContent: "back to the mean", hidden: true });
  control = make("button", { type: "button", className: "live-die", textContent: "throw ε", disabled: true });
  node = this.#sum.node;

  /**
   * @param {(grey: Uint8Array | null) => void} made what the draw decodes to; null where z is the mean again
   * @param {() => void} thrown ε was, by hand
   */
  constructor(made, thrown) {
    this.made = made;
    this.node.append(this.#back);
    this.control.onclick = () => {
      if (!this.#q) return;
      this.#eps = this.#q.mu.map(() => normal());
      this.#write();
      this.#decode();
      thrown();
    };
    this.#back.onclick = () => {
      this.#eps = null;
      this.#write();
      this.made(null);
    };
  }

  /** z of the noise that was thrown; null where z is the mean. */
  get z() {
    const q = this.#q;
    return q && this.#eps && Float32Array.from(this.#eps, (eps, j) => q.mu[j] + q.std[j] * eps);
  }

  /** @param {Description} model */
  about(model) {
    this.#sum.about(model.dims.map(({ index }) => index));
    this.clear();
  }

  /**
   * Takes another q; ε is held.
   *
   * @param {Q} q
   */
  show(q) {
    this.#q = { mu: q.mu, std: q.std };
    this.control.disabled = false;
    this.#write();
    if (this.#eps) this.#decode();
  }

  clear() {
    this.#q = null;
    this.#eps = null;
    this.control.disabled = true;
    this.#sum.clear();
    this.#back.hidden = true;
  }

  #write() {
    if (!this.#q) return;
    this.#back.hidden = !this.#eps;
    this.#sum.show(this.#q, this.#eps);
  }

  async #decode() {
    const z = this.z;
    const eps = this.#eps;
    if (!z || !current.about) return;
    const grey = picture(z) ?? (await pictureOfServer([z]).catch(() => null)); // Latents says what is wrong
    if (grey && eps === this.#eps) this.made(grey);
  }
}
