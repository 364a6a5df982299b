// Draws of z from the encoder's q of the image in hand, and the log of the weight of each; more and more of them.

import { planeOf } from "../../q/weigh.js";
import { failed } from "../../shared/ask.js";
import { later } from "../../shared/background.js";
import { model } from "../../shared/model.js";
import { normal } from "../../space/normal.js";

/** @import { Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */
/** @import { Plane } from "../../q/weigh.js" */

export const MOST = 2048; // draws
const SOME = 128; // draws after which they are shown again
const TOO_SLOW = "This browser does not have the decoder of this model: choose another one above.";

/** The draws: `logs` of their weights, as far as they are made. */
export class Draws {
  #all = new Float64Array(MOST);
  #count = 0;
  #isStale = false; // whether another image came while the card was not shown
  /** @type {Known | null} */
  known = null;

  /**
   * @param {Frame} frame
   * @param {(draws: Draws, isOther: boolean) => void} changed there are more draws, or more is known;
   *   isOther: they are of another image
   */
  constructor(frame, changed) {
    this.frame = frame;
    this.changed = changed;
    frame.image.onChange((known, isOther) => this.#see(known, isOther));
  }

  get logs() {
    return this.#all.subarray(0, this.#count);
  }

  /** The card is shown: what was missed while it was not is made up for. */
  wake() {
    if (this.#isStale) this.#see(this.frame.image.known, true);
  }

  /**
   * @param {Known | null} known
   * @param {boolean} isOther
   */
  async #see(known, isOther) {
    this.#isStale = !this.frame.node.isConnected;
    if (this.#isStale) return;
    this.known = known;
    if (isOther) this.#count = 0;
    this.changed(this, isOther);
    if (!isOther || !known) return;
    const answer = await planeOf(model.id, known.looked.version);
    if (this.known?.looked !== known.looked) return;
    if (failed(answer)) this.frame.say(answer.silent ? answer.error : TOO_SLOW);
    else later("draws", this.#draw(answer.plane, known));
  }

  /**
   * @param {Plane} plane
   * @param {Known} known
   */
  *#draw(plane, { x, q }) {
    while (this.#count < MOST) {
      const eps = Float64Array.from({ length: 2 * SOME }, normal);
      this.#all.set(yield* plane.logWeights(x, q, eps), this.#count);
      this.#count += SOME;
      this.changed(this, false);
    }
  }
}
