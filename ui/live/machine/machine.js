// The model as a machine: x → encoder → q → z = μ + σ ⊙ ε → decoder → x̂, with each term of the ELBO where it arises.

import { make, minus, nats, paint } from "../shared/page.js";
import { Throw } from "./throw.js";

/** @import { Description, Q, Terms } from "../shared/types.js" */

/**
 * What stands at each station: x, q, x̂, and of whose q it is.
 *
 * @typedef {{ input: Node, q: HTMLElement, made: HTMLCanvasElement, whose: Node }} Stations
 */

/** The stations in a row. Its terms are those of the q that is shown. */
export class Machine {
  #kl = term("kl");
  #reconstruction = term("reconstruction");
  #caption = make("figcaption");
  #made;
  /** @type {Throw} */
  #die;
  /** @type {() => void} */
  #mean = () => {}; // paints what the mean of q decodes to

  /** @param {Stations} stations */
  constructor({ input, q, made, whose }) {
    this.#made = made;
    this.#die = new Throw((grey) => this.#thrown(grey));
    const station = (/** @type {string} */ name, /** @type {(Node | string)[]} */ ...parts) =>
      make("div", { className: `live-station live-station-${name}` }, ...parts);
    this.node = make(
      "div",
      { className: "live-machine" },
      station("x", make("figcaption", {}, "Draw a digit"), input),
      arrow("encoder"),
      station("q", q, this.#kl.node),
      arrow("throw ε", this.#die.button),
      station("z", this.#die.node),
      arrow("decoder"),
      station("made", this.#caption, made, this.#reconstruction.node, whose),
    );
    this.#name();
  }

  /** @param {Description} model */
  about(model) {
    this.#die.about(model);
    this.clear();
  }

  /**
   * Shows a q and its terms.
   *
   * @param {Q & Terms} q
   */
  show(q) {
    this.#kl.show("KL(q ‖ p(z)) = ", q.kl);
    this.#reconstruction.show("E log p(x|z) = ", q.reconstruction_term);
    this.#die.show(q);
  }

  /**
   * Paints what the mean of q decodes to; a throw of ε is over.
   *
   * @param {Uint8Array} grey
   */
  decoded(grey) {
    this.#mean = () => {
      paint(this.#made, grey);
      this.#name();
    };
    this.#mean();
  }

  clear() {
    this.#kl.clear();
    this.#reconstruction.clear();
    this.#die.clear();
    this.#name();
  }

  /** @param {Uint8Array | null} grey of the draw; null where ε is 0 again */
  #thrown(grey) {
    if (!grey) {
      this.#mean();
      return;
    }
    paint(this.#made, grey);
    this.#caption.textContent = "p(x|z) of this draw";
  }

  #name() {
    this.#caption.textContent = "p(x|z): what it makes of it";
  }
}

/**
 * @param {string} name of the part that the arrow goes through
 * @param {...Node} more
 */
const arrow = (name, ...more) =>
  make("div", { className: "live-arrow" }, make("span", { ariaHidden: "true" }, "→"), ...(more.length ? more : [name]));

/**
 * A term of the ELBO below its station.
 *
 * @param {string} name
 */
function term(name) {
  const node = make("div", { className: "live-hanging" });
  node.dataset.term = name;
  const clear = () => {
    node.textContent = "\u00a0";
  };
  clear();
  return {
    node,
    clear,
    /** @type {(sign: string, value: number | null) => void} */
    show(sign, value) {
      node.textContent = minus(`${sign}${nats(value)} nats`);
    },
  };
}
