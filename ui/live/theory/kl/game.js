// A game: to make the KL 1.00 in three drags, judged by eye, for the numbers are hidden while a handle is held.

import { make } from "../../shared/page.js";
import { STEP } from "./pair.js";

/** @import { Gaussian } from "../../space/gaussian.js" */

const AIM = 1; // nats
const DRAGS = 3;
const NEAR = 0.005; // what is shown as 1.00
const FAR = [2, 5]; // the KL at the start, nats
const MEANS = 4; // the means lie within half of it
const WIDTHS = [0.5, 1]; // of the widths: the least, and how much more they can be

/** The game: `node`. */
export class Game {
  /** Whether the numbers are hidden now. */
  isHidden = false;
  #left = 0; // drags; 0 while nobody plays
  #nearest = Infinity;
  #best = 0; // points
  #start = make("button", { type: "button" }, "Play: make the KL 1.00 in three drags");
  #says = make("p", { role: "status" });
  node = make("div", { className: "live-game" }, this.#start, this.#says);

  /**
   * @param {{ q: Gaussian, p: Gaussian }} pair is dragged
   * @param {() => number} value the KL now
   * @param {() => void} show draws all again
   */
  constructor(pair, value, show) {
    this.pair = pair;
    this.value = value;
    this.show = show;
    this.#start.onclick = () => this.#begin();
  }

  #begin() {
    do {
      for (const it of Object.values(this.pair)) {
        it.mu = even(MEANS * (Math.random() - 0.5));
        it.sigma = even(WIDTHS[0] + WIDTHS[1] * Math.random());
      }
    } while (this.value() < FAR[0] || this.value() > FAR[1]);
    this.#left = DRAGS;
    this.#nearest = Infinity;
    this.#start.textContent = "Start over";
    this.#says.textContent = "Three drags. While you hold a handle the numbers are hidden: judge by the area.";
    this.show();
  }

  /** A handle is taken. */
  grabbed() {
    if (!this.#left) return;
    this.isHidden = true;
    this.#says.textContent = "Let go where you think the KL is 1.00 (on the keyboard: Enter).";
  }

  /** It is let go. */
  dropped() {
    if (!this.#left) return;
    this.isHidden = false;
    this.show();
    this.#left -= 1;
    const kl = this.value();
    if (Math.abs(kl - AIM) < Math.abs(this.#nearest - AIM)) this.#nearest = kl;
    const isHit = Math.abs(kl - AIM) < NEAR;
    if (isHit || !this.#left) this.#finish(isHit);
    else this.#says.textContent = `KL = ${kl.toFixed(2)}. ${this.#left === 1 ? "One drag is" : "Two drags are"} left.`;
  }

  /** @param {boolean} isHit */
  #finish(isHit) {
    const points = pointsOf(this.#nearest);
    this.#best = Math.max(this.#best, points);
    const used = DRAGS - this.#left;
    const result = isHit
      ? `1.00 in ${used === 1 ? "one drag" : `${used} drags`}`
      : `Nearest: ${this.#nearest.toFixed(2)}`;
    this.#says.textContent = `${result}. ${points} of 100 points; your best: ${this.#best}.`;
    this.#left = 0;
    this.#start.textContent = "Play again";
  }

  /** Nobody plays any more. */
  end() {
    if (!this.#left) return;
    this.#left = 0;
    this.isHidden = false;
    this.#start.textContent = "Play again";
    this.#says.textContent = "";
  }
}

/**
 * The nearest value that the arrow keys come to.
 *
 * @param {number} value
 */
const even = (value) => Math.round(value / STEP) * STEP;

/**
 * The score of a KL: 100 at the aim, one less for each hundredth of a nat beside it.
 *
 * @param {number} kl
 */
export const pointsOf = (kl) => Math.max(0, Math.round(100 * (1 - Math.abs(kl - AIM))));
