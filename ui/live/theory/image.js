// The image in hand: the drawing that all tabs share, as the model in use sees it, with the encoder's q and, for two
// dimensions, the exact posterior. The cards show what follows from it.

import { isUntouched, keptDrawing, onKept, posted, putOnPad } from "../draw/kept.js";
import { exactPosterior } from "../exact/exact.js";
import { answerOf, failed, newest } from "../shared/ask.js";
import { model, onModel } from "../shared/model.js";
import { bytes } from "../shared/page.js";

/** @import { Description, Exact, Looked, Q } from "../shared/types.js" */
/** @import { Functions } from "./deck.js" */
/**
 * What is known of the image. x: 784 values in [0, 1] as the model sees them; q: the encoder's; looked: the server's
 * answer; about: the model; exact: null as long as it is not known, or where it cannot be.
 *
 * @typedef {{ x: Float32Array, seen: string, q: Q, looked: Looked, about: Description, exact: Exact | null }} Known
 * @typedef {(known: Known | null, isOther: boolean) => void} View isOther: it is another image, or of another model
 */

const DRAWS = 1000; // of log p̂(x)
const FIRST_DIGIT = 4; // as the first card begins

/** The image: those who show it are told of each other one. */
export class ImageInHand {
  /** @type {Known | null} */
  known = null;
  /** Whether somebody wants to know: nothing is asked before. */
  #isWanted = false;
  #isStale = true; // the drawing or the model has changed since it was looked at
  #wrong = ""; // what is, with the image
  /** @type {Set<View>} */
  #views = new Set();
  #turn = newest();

  /**
   * @param {Functions} server
   * @param {(text: string) => void} say what is wrong
   */
  constructor(server, say) {
    this.server = server;
    this.say = say;
    const other = () => {
      this.#isStale = true;
      this.#look();
    };
    onKept(other);
    onModel(other);
  }

  /**
   * Calls view(known, isOther) now, if the image is known, and whenever more of it is known.
   *
   * @param {View} view
   */
  onChange(view) {
    this.#views.add(view);
    if (this.known) view(this.known, true);
  }

  /**
   * Looks at the image as long as a card is in sight that shows what follows from it.
   *
   * @param {boolean} isWanted
   */
  want(isWanted) {
    this.#isWanted = isWanted;
    if (isWanted && !this.#isStale && this.#wrong) this.say(this.#wrong);
    this.#look();
  }

  /**
   * Takes another image, 784 bytes in MNIST's format: on every tab.
   *
   * @param {Uint8Array} grey
   */
  take(grey) {
    putOnPad(grey);
    this.#isStale = true;
    this.#look();
  }

  async #look() {
    const { about, id } = model;
    if (!this.#isWanted || !this.#isStale || !about) return;
    this.#isStale = false;
    const isNewest = this.#turn();
    const drawing = keptDrawing() ?? first(about);
    if (!drawing || !posted(drawing)) {
      this.#tell(null, true); // the strip says so
      this.#tellWrong("");
      return;
    }
    const looked = await answerOf(this.server.look({ model: id, ...drawing, draws: DRAWS }));
    if (!isNewest()) return;
    if (failed(looked)) {
      this.#tellWrong(looked.error);
      return;
    }
    this.#tellWrong("");
    const { seen, z: mu, std } = looked;
    const x = Float32Array.from(bytes(seen), (value) => value / 255);
    this.#tell({ x, seen, q: { mu, std }, looked, about, exact: null }, true);
    if (mu.length !== 2) return;
    const asked = { model: id, version: looked.version, seen, q: { mu, std } };
    const exact = await exactPosterior(asked, this.server);
    if (!isNewest() || !this.known) return;
    if (failed(exact)) this.#tellWrong(exact.error);
    else this.#tell({ ...this.known, exact }, false);
  }

  /** @param {string} wrong */
  #tellWrong(wrong) {
    this.#wrong = wrong;
    this.say(wrong);
  }

  /**
   * @param {Known | null} known
   * @param {boolean} isOther
   */
  #tell(known, isOther) {
    this.known = known;
    for (const view of this.#views) view(known, isOther);
  }
}

/**
 * The digit that the page opens with, before anybody has drawn or cleared anything.
 *
 * @param {Description} about
 */
function first({ examples }) {
  if (!isUntouched()) return null;
  const digit = examples.find(({ label }) => label === FIRST_DIGIT) ?? examples[0];
  return digit ? { image: digit.image } : null;
}
