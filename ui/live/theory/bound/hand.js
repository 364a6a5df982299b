// A q on the plane to take by hand: its middle and the ends of its axes, and what it is worth at every place (T14, T15).

import { CERTAIN } from "../../exact/exact.js";
import { QMap } from "../../q/map.js";
import { atOnce, FINE, planeOf, QUICK, weigh } from "../../q/weigh.js";
import { answerOf, debounced, failed, newest } from "../../shared/ask.js";
import { later, never } from "../../shared/background.js";
import { model } from "../../shared/model.js";
import { make, wantsStill } from "../../shared/page.js";

/** @import { Q } from "../../shared/types.js" */
/** @import { Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */
/** @import { Plane, Terms } from "../../q/weigh.js" */
/**
 * weighed: what q is worth, and log p(x), null where it is not known; moved: a hand has moved q; found: the best q was
 * shown, from the encoder's; begun: there is another image, or another model; shown: q is at another place; over: what
 * the point of the plane under the mouse decodes to.
 *
 * @typedef {{
 *   weighed: (terms: Terms, log_px: number | null) => void, moved: () => void, found: (path: Q[]) => void,
 *   begun: (known: Known) => void, shown: (q: Q) => void, over: (grey: Uint8Array | null) => void,
 * }} Events
 */

const REST = 150; // ms after which q is taken to rest
const WAY = 1200; // ms in which the way to the best q is shown
const BACK = 400; // ms until q is the encoder's again
const NUDGE = 0.2; // standard deviations that a key moves the middle by, and the power of e that it widens q by
const LEAST = 1e-3; // prior standard deviations: the narrowest q
const TOO_SLOW = "This browser does not have the decoder of this model: choose another one above.";
let hands = 0; // on this page: each weighs for itself

/** q in the hand: `map`, and the buttons `best` and `back`. */
export class Hand {
  #key = `hand-${hands++}`;
  /** @type {Known | null} */
  known = null;
  /** @type {Plane | null} */
  plane = null;
  /** @type {Q | null} */
  q = null;
  #moves = newest(); // by a hand or by itself: each ends what moved before
  #asks = newest(); // of images
  #isStale = false; // whether another image came while the card was not shown
  #isDue = false; // whether q is weighed with the next frame
  #rested = debounced(() => this.#weighWell(), REST);
  best = make("button", { type: "button", className: "live-primary", disabled: true }, "Find the best q");
  back = make("button", { type: "button", disabled: true }, "The encoder’s q");

  /**
   * @param {Frame} frame
   * @param {Partial<Events>} events
   */
  constructor(frame, events) {
    this.frame = frame;
    this.events = events;
    this.map = new QMap({ over: (grey) => events.over?.(grey), onq: (q) => this.#take(q) });
    this.map.node.tabIndex = 0;
    this.map.node.setAttribute("role", "group");
    this.map.node.ariaLabel = "q on the plane: the arrow keys move its middle, with Shift they change its widths";
    this.map.node.addEventListener("keydown", (event) => this.#press(event));
    this.best.onclick = () => this.findBest();
    this.back.onclick = () => this.#return();
    frame.image.onChange((known, isOther) => this.#see(known, isOther));
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
    const before = this.known;
    this.known = known;
    for (const button of [this.best, this.back]) button.disabled = !known;
    if (!known) {
      this.q = null;
      this.map.clear();
      return;
    }
    if (isOther) {
      this.#moves();
      if (before?.about !== known.about) this.map.about(known.about);
      this.map.compare(null);
      this.map.outdated("x");
      this.plane = null;
      this.put(known.q);
      this.events.begun?.(known);
    }
    if (known.exact) {
      this.map.take(known.exact);
      this.map.look(true);
    }
    const isNewest = this.#asks();
    const answer = await planeOf(model.id, known.looked.version);
    if (!isNewest()) return;
    if (failed(answer)) this.frame.say(answer.silent ? answer.error : TOO_SLOW);
    else this.plane = answer.plane;
    this.#weighSoon();
  }

  /** log p(x), where it is known well enough to be called exact. */
  get log_px() {
    const { log_px = null, uncertainty = null } = this.known?.exact ?? {};
    return uncertainty !== null && uncertainty < CERTAIN ? log_px : null;
  }

  /**
   * Puts q somewhere.
   *
   * @param {Q} q
   * @param {Q[]} [path] on which its middle came there
   */
  put(q, path = []) {
    const least = LEAST * (this.known?.about.prior_std ?? 1);
    this.q = { mu: q.mu, std: q.std.map((one) => Math.max(one, least)) };
    this.map.show(this.q, path);
    this.map.node.dataset.q = JSON.stringify(this.q);
    this.events.shown?.(this.q);
    this.#weighSoon();
  }

  /** A hand moves q. @param {Q} q */
  #take(q) {
    if (!this.known) return;
    this.#moves();
    this.put(q);
    this.events.moved?.();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const ways = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 1], ArrowDown: [1, -1] };
    const [axis, way] = ways[/** @type {keyof typeof ways} */ (event.key)] ?? [-1, 0];
    if (!way || !this.q) return;
    event.preventDefault();
    const { mu, std } = this.q;
    const onAxis = (/** @type {(value: number, j: number) => number} */ change, /** @type {number[]} */ of) =>
      of.map((value, j) => (j === axis ? change(value, j) : value));
    if (event.shiftKey) this.#take({ mu, std: onAxis((value) => value * Math.exp(way * NUDGE), std) });
    else this.#take({ mu: onAxis((value, j) => value + way * NUDGE * std[j], mu), std });
  }

  #weighSoon() {
    never(this.#key);
    this.#rested();
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      const { plane, known, q, log_px } = this;
      if (plane && known && q) this.events.weighed?.(atOnce(weigh(plane, known.x, q, log_px, QUICK)), log_px);
    });
  }

  /** Weighs the q that rests by the fine rules, a few points a frame. */
  #weighWell() {
    const { plane, known, q, log_px } = this;
    if (!plane || !known || !q) return;
    const weighed = (/** @type {Terms} */ terms) => q === this.q && this.events.weighed?.(terms, log_px);
    later(this.#key, told(weigh(plane, known.x, q, log_px, FINE), weighed));
  }

  /**
   * Calls frame(t) with t up to 1; only with 1 for those who mind motion.
   *
   * @param {number} ms
   * @param {(t: number) => void} frame
   * @returns {Promise<boolean>} false where a hand or another image took over
   */
  async #animate(ms, frame) {
    const isMine = this.#moves();
    const began = performance.now();
    for (let t = 0; t < 1; ) {
      await new Promise(requestAnimationFrame);
      if (!isMine()) return false;
      t = wantsStill() ? 1 : Math.min(1, (performance.now() - began) / ms);
      frame(t);
    }
    return true;
  }

  async #return() {
    const { q: from, known } = this;
    if (!from || !known) return;
    const mixed = (/** @type {number[]} */ a, /** @type {number[]} */ b, /** @type {number} */ t) =>
      a.map((value, j) => value + t * (b[j] - value));
    await this.#animate(BACK, (t) =>
      this.put({ mu: mixed(from.mu, known.q.mu, t), std: mixed(from.std, known.q.std, t) }),
    );
  }

  /** Has the server find the best q of the image, and shows the way there. */
  async findBest() {
    const asked = this.known?.looked;
    if (!asked) return;
    this.best.disabled = true;
    this.frame.say("Climbing the ELBO by the gradient of q, the model fixed …");
    const answer = await answerOf(this.frame.server.refine({ model: model.id, image: asked.seen }));
    this.best.disabled = !this.known;
    if (asked !== this.known?.looked) return;
    this.frame.say(failed(answer) ? answer.error : "");
    if (failed(answer)) return;
    const { path } = answer;
    this.map.look(true);
    const isDone = await this.#animate(WAY, (t) => {
      const count = Math.max(1, Math.ceil(t * path.length));
      this.put(path[count - 1], path.slice(0, count));
    });
    if (isDone) this.events.found?.(path);
  }
}

/**
 * Runs a generator, and tells what it returns.
 *
 * @template T
 * @param {Generator<void, T>} steps
 * @param {(found: T) => void} then
 * @returns {Generator<void, void>}
 */
export function* told(steps, then) {
  then(yield* steps);
}
