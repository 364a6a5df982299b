// The reparameterization, thrown by hand: a die for ε, z = μ + σ ⊙ ε in numbers, and what that z decodes to.

import { model as current, picture, pictureOfServer } from "../shared/model.js";
import { make, minus } from "../shared/page.js";
import { normal } from "../space/normal.js";

/** @import { Description, Q } from "../shared/types.js" */

const SHOWN = 3; // dimensions whose sum is written out: those of largest KL

/** A die, the sum in numbers, and the noise that was thrown. */
export class Throw {
  /** @type {Q | null} */
  #q = null;
  /** @type {number[] | null} */
  #eps = null; // null: z is the mean
  /** @type {number[]} */
  #dims = [];
  #lines = make("div", { className: "live-sum" });
  #back = make("button", { type: "button", className: "live-rest", textContent: "back to the mean", hidden: true });
  button = make("button", { type: "button", className: "live-die", textContent: "throw ε", disabled: true });
  node = make("div", { className: "live-throw" }, make("div", { className: "live-formula" }), this.#lines, this.#back);

  /**
   * @param {(grey: Uint8Array | null) => void} made what the draw decodes to; null where z is the mean again
   * @param {() => void} thrown ε was, by hand
   */
  constructor(made, thrown) {
    this.made = made;
    /** @type {HTMLElement} */ (this.node.firstChild).textContent = "z = μ + σ ⊙ ε";
    this.button.onclick = () => {
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
    this.#dims = model.dims.slice(0, SHOWN).map(({ index }) => index);
  }

  /**
   * Takes another q; ε is held.
   *
   * @param {Q} q
   */
  show(q) {
    this.#q = { mu: q.mu, std: q.std };
    this.button.disabled = false;
    this.#write();
    if (this.#eps) this.#decode();
  }

  clear() {
    this.#q = null;
    this.#eps = null;
    this.button.disabled = true;
    this.#lines.replaceChildren();
    this.#back.hidden = true;
  }

  #write() {
    const q = this.#q;
    const eps = this.#eps;
    if (!q) return;
    this.#back.hidden = !eps;
    const line = (/** @type {number} */ j) => {
      const sum = minus(`${q.mu[j].toFixed(2)} + ${q.std[j].toFixed(2)} · `);
      return make("div", {}, make("small", {}, `z${j} `), sum, make("b", {}, minus((eps?.[j] ?? 0).toFixed(1))));
    };
    this.#lines.replaceChildren(...this.#dims.map(line));
  }

  async #decode() {
    const z = this.z;
    const eps = this.#eps;
    if (!z || !current.about) return;
    const grey = picture(z) ?? (await pictureOfServer([z]).catch(() => null)); // Latents says what is wrong
    if (grey && eps === this.#eps) this.made(grey);
  }
}
