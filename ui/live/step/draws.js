// The noise that a step drew: z = μ + σ ⊙ ε of each draw in numbers, one at a time.

import { Sum } from "../machine/sum.js";
import { make } from "../shared/page.js";

/** @import { Image } from "./images.js" */

/** The draws of an image, which can be gone through where there are several. */
export class Draws {
  /** @type {Image | null} */
  #image = null;
  #at = 0; // the draw that is shown
  #sum = new Sum({ digits: 2 });
  #which = make("div", { role: "status" });
  #turn = make(
    "div",
    { className: "live-turn" },
    this.#button("‹", "Previous draw", -1),
    this.#button("›", "Next draw", 1),
  );
  control = make("div", { className: "live-draws" }, this.#which);
  node = this.#sum.node;

  /** @param {(l: number) => void} shown another draw is */
  constructor(shown) {
    this.shown = shown;
  }

  /**
   * Takes another batch, from its first draw on.
   *
   * @param {number[]} dims the one of largest KL first
   */
  begin(dims) {
    this.#sum.about(dims);
    this.#at = 0;
  }

  /**
   * Takes an image of the batch; the number of the draw stays.
   *
   * @param {Image} image
   */
  show(image) {
    this.#image = image;
    if (image.samples === 1) this.#turn.remove();
    else this.control.append(this.#turn);
    this.#go(0);
  }

  /**
   * @param {string} text
   * @param {string} ariaLabel
   * @param {number} way
   */
  #button(text, ariaLabel, way) {
    return make("button", { type: "button", ariaLabel, textContent: text, onclick: () => this.#go(way) });
  }

  /** @param {number} way after the last draw the first comes again */
  #go(way) {
    if (!this.#image) return;
    const { q, eps, draws, samples } = this.#image;
    this.#at = (this.#at + way + draws.length) % draws.length;
    this.#which.textContent = samples === 1 ? "ε as drawn" : `draw ${this.#at + 1} of ${samples}`;
    this.#sum.show(q, eps[this.#at], draws[this.#at]);
    this.shown(this.#at);
  }
}
