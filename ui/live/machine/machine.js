// The model as a machine: x → encoder → q → z = μ + σ ⊙ ε → decoder → x̂, with each term of the ELBO where it arises.

import { make, minus, nats, paint, SIDE } from "../shared/page.js";
import { ofImage } from "./shapes.js";

/** @import { Terms } from "../shared/types.js" */

const NOTHING = new Uint8Array(SIDE * SIDE);
const OF_MEAN = "p(x|z): what it makes of it";
const OF_DRAW = "p(x|z) of this draw";

/**
 * What stands at its stations. title: above x; noise: what ε comes from, and z in numbers.
 *
 * @typedef {{ title: string, x: Node, q: HTMLElement, noise: { control: Node, node: Node } }} Stations
 */

/** @typedef {"x" | "q" | "z" | "made"} Name of a station */

/** @type {Record<Name, string>} */
const NAMES = { x: "x", q: "q(z|x)", z: "z", made: "mean of p(x|z)" };

/** The stations in a row. Its terms are those of the q that is shown, or of a draw of it. */
export class Machine {
  #kl = term("kl");
  #reconstruction = term("reconstruction");
  #caption = make("figcaption");
  #made = make("canvas", { className: "live-reconstruction" });
  #note = make("small");
  #title = OF_MEAN;
  /** @type {Uint8Array} */
  #grey = NOTHING; // what the decoder makes
  /** @type {Uint8Array | null} */
  #draw = null; // what a draw decodes to, in its place
  /** @type {Record<Name, HTMLElement>} */
  #shapes = { x: shape(), q: shape(), z: shape(), made: shape() };

  /** @param {Stations} stations */
  constructor({ title, x, q, noise }) {
    const station = (/** @type {Name} */ name, /** @type {(Node | string)[]} */ ...parts) => {
      const node = make("div", { className: `live-station live-station-${name}`, role: "group", tabIndex: 0 });
      node.ariaLabel = NAMES[name];
      node.append(...parts, this.#shapes[name]);
      return node;
    };
    this.node = make(
      "div",
      { className: "live-machine" },
      station("x", make("figcaption", {}, title), x),
      arrow("encoder"),
      station("q", q, this.#kl.node),
      arrow(noise.control),
      station("z", noise.node),
      arrow("decoder"),
      station("made", this.#caption, this.#made, this.#reconstruction.node, this.#note),
    );
    this.clear();
  }

  /**
   * Shows the terms of a q, or of a draw of it.
   *
   * @param {Pick<Terms, "kl" | "reconstruction_term">} terms
   * @param {string} [name] of the reconstruction
   */
  show({ kl, reconstruction_term }, name = "E log p(x|z)") {
    this.#kl.show("KL(q ‖ p(z)) = ", kl);
    this.#reconstruction.show(`${name} = `, reconstruction_term);
  }

  /**
   * Says what stands at stations when they are pointed at or have the focus: shapes and values.
   *
   * @param {Partial<Record<Name, string>>} texts
   */
  say(texts) {
    for (const [name, text] of Object.entries(texts)) this.#shapes[/** @type {Name} */ (name)].textContent = text;
  }

  /**
   * Paints what the decoder makes; a draw in its place is over.
   *
   * @param {Uint8Array} grey
   * @param {string} note below it
   * @param {string} [title] above it
   */
  decoded(grey, note, title = OF_MEAN) {
    this.#grey = grey;
    this.#draw = null;
    this.#title = title;
    this.#note.textContent = note || "\u00a0";
    this.#paint();
  }

  /**
   * Paints what a draw decodes to, in the place of what the decoder made before.
   *
   * @param {Uint8Array | null} grey null where that is shown again
   */
  drawn(grey) {
    this.#draw = grey;
    this.#paint();
  }

  /**
   * Paints what another point decodes to, as long as somebody points at it or has sampled it.
   *
   * @param {Uint8Array | null} grey null where nobody does any more
   * @param {string} [title] above it
   */
  over(grey, title = "p(x|z) of this place") {
    this.node.classList.toggle("live-elsewhere", grey !== null); // the terms and z are not of that place
    if (!grey) {
      this.#paint();
      return;
    }
    paint(this.#made, grey);
    this.#caption.textContent = title;
  }

  clear() {
    this.#kl.clear();
    this.#reconstruction.clear();
    this.decoded(NOTHING, "");
    this.say({ x: "", q: "", z: "", made: "" });
  }

  #paint() {
    const grey = this.#draw ?? this.#grey;
    paint(this.#made, grey);
    this.say({ made: ofImage(NAMES.made, grey) });
    this.#caption.textContent = this.#draw ? OF_DRAW : this.#title;
  }
}

/** What is said of a station. */
const shape = () => make("small", { className: "live-shape" });

/** @param {Node | string} through the part that it goes through, or what ε comes from */
const arrow = (through) => make("div", { className: "live-arrow" }, make("span", { ariaHidden: "true" }, "→"), through);

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
