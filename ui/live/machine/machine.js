// The model as a machine: x → encoder → q → z = μ + σ ⊙ ε → decoder → x̂, with each term of the ELBO where it arises.

import { make, minus, nats, paint, SIDE } from "../shared/page.js";
import { Throw } from "./throw.js";

/** @import { Description, Q, Terms } from "../shared/types.js" */

const NOTHING = new Uint8Array(SIDE * SIDE);
const MADE = "p(x|z): what it makes of it";

/**
 * What stands at its stations, x and q; and thrown: ε was, by hand.
 *
 * @typedef {{ input: Node, q: HTMLElement, thrown: () => void }} Stations
 */

/** The stations in a row. Its terms are those of the q that is shown. */
export class Machine {
  #kl = term("kl");
  #reconstruction = term("reconstruction");
  #caption = make("figcaption");
  #made = make("canvas", { className: "live-reconstruction" });
  #whose = make("small");
  /** @type {Throw} */
  #die;
  /** @type {Uint8Array} */
  #mean = NOTHING; // what the mean of q decodes to
  /** @type {Uint8Array | null} */
  #draw = null; // what the z that was thrown decodes to

  /** @param {Stations} stations */
  constructor({ input, q, thrown }) {
    this.#die = new Throw((grey) => this.#thrown(grey), thrown);
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
      station("made", this.#caption, this.#made, this.#reconstruction.node, this.#whose),
    );
    this.clear();
  }

  /** The button that throws ε. */
  get die() {
    return this.#die.button;
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
   * @param {string} x what the model is given, in formulas
   */
  show(q, x) {
    this.#kl.show("KL(q ‖ p(z)) = ", q.kl);
    this.#reconstruction.show(`E log p(${x}|z) = `, q.reconstruction_term);
    this.#die.show(q);
  }

  /**
   * Paints what the mean of q decodes to; a throw of ε is over.
   *
   * @param {Uint8Array} grey
   * @param {string} whose q it is
   */
  decoded(grey, whose) {
    this.#mean = grey;
    this.#draw = null;
    this.#whose.textContent = `decoded from the mean of the ${whose}`;
    this.#paint();
  }

  /**
   * Paints what another point of the plane decodes to, as long as somebody points at it.
   *
   * @param {Uint8Array | null} grey null where nobody does any more
   */
  over(grey) {
    if (!grey) {
      this.#paint();
      return;
    }
    paint(this.#made, grey);
    this.#caption.textContent = "p(x|z) of this place";
  }

  clear() {
    this.#kl.clear();
    this.#reconstruction.clear();
    this.#die.clear();
    this.#mean = NOTHING;
    this.#draw = null;
    this.#whose.textContent = "\u00a0";
    this.#paint();
  }

  /** @param {Uint8Array | null} grey of the draw; null where ε is 0 again */
  #thrown(grey) {
    this.#draw = grey;
    this.#paint();
  }

  #paint() {
    paint(this.#made, this.#draw ?? this.#mean);
    this.#caption.textContent = this.#draw ? "p(x|z) of this draw" : MADE;
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
