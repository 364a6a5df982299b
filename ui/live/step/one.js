// The machine with an image of the batch in it, and the noise that the step drew.

import { Machine } from "../machine/machine.js";
import { ofImage, ofNumbers, ofQ } from "../machine/shapes.js";
import { make, nats, paint } from "../shared/page.js";
import { codeOf } from "./codes.js";
import { Draws } from "./draws.js";

/** @import { Image } from "./images.js" */

/** One image at a time: `node`. */
export class OneImage {
  /** @type {Image | null} */
  #image = null;
  #x = make("canvas", { className: "live-seen" });
  #code = make("div", { className: "live-code" });
  #draws = new Draws((l) => this.#draw(l));
  #machine = new Machine({ title: "x, as seen", x: this.#x, q: this.#code, noise: this.#draws });
  node = this.#machine.node;

  /**
   * Takes another batch, of which an image is to be shown next.
   *
   * @param {number[]} dims the one of largest KL first
   */
  begin(dims) {
    this.#draws.begin(dims);
  }

  /** @param {Image} image */
  show(image) {
    this.#image = image;
    paint(this.#x, image.x);
    this.#draws.show(image);
  }

  /** @param {number} l the draw that is shown */
  #draw(l) {
    if (!this.#image) return;
    const { x, q, reach, draws, made, terms, kl, reconstruction, samples } = this.#image;
    this.#code.replaceChildren(codeOf(q, [draws[l]], reach));
    this.#machine.show({ kl, reconstruction_term: terms[l] }, "log p(x|z)");
    const mean = samples === 1 ? "" : `its mean over the ${samples} draws: ${nats(reconstruction)} nats`;
    this.#machine.decoded(made[l], mean, "x̂ of this draw");
    this.#machine.say({ x: ofImage("x", x), q: ofQ(q), z: ofNumbers("z", draws[l]) });
  }
}
