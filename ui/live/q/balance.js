// The current q (the encoder's, a dragged one, or the refined one) and the best known log p(x): what the meter
// compares.

import { CERTAIN } from "../exact/exact.js";
import { Meter } from "../meter/meter.js";
import { sum } from "../meter/scale.js";
import { debounced, failed, newest, oneAtATime } from "../shared/ask.js";
import { nameOf, visibleOf } from "../shared/given.js";
import { count, openTab, wantsStill } from "../shared/page.js";
import { movePoint } from "../space/point.js";
import { Glance } from "./glance.js";
import { Grab } from "./grab.js";
import { QMap } from "./map.js";
import { wayOf } from "./way.js";

/** @import { Answer, Decoded, Description, Exact, Given, Hole, Judged, Looked, Q, Refined } from "../shared/types.js" */
/** @import { Terms, Waypoint } from "../shared/types.js" */
/** @import { Evidence } from "../meter/meter.js" */
/** @import { Load } from "./glance.js" */
/** @typedef {Q & Terms} Weighed a q with its terms */

/**
 * refine: an answer of the server, or null after saying why not; judge: what the server says of a q; plane: of the model;
 * held: takes what a q decodes to, and whose it is; moving: takes a q that moves, before it is heard what it decodes to;
 * weighed: takes the q that is weighed; moved: a hand changes q; refined: a refinement has
 * been shown to its end, and left that gap; over: takes what the point of the plane under the mouse decodes to, null
 * where there is none.
 *
 * @typedef {{
 *   refine: (request: { image: string } & Hole) => Promise<Refined | null>,
 *   judge: (request: { image: string } & Hole & Q) => Promise<Answer<Judged> | undefined>,
 *   plane: Load,
 *   say: (text: string) => void,
 *   moving: (q: Q, whose: string) => void,
 *   weighed: (q: Weighed) => void,
 *   moved: () => void,
 *   refined: (gap: number | null) => void,
 *   over: (grey: Uint8Array | null) => void,
 *   held: (answer: Decoded, whose: string) => void,
 * }} Tab
 */

export const SURE = 1000; // draws of log p̂(x) when the pen rests, and of a refined q
const BACK = 500; // ms until q is the encoder's again
const WAY = 1200; // ms in which a refinement is shown
const REST = 150; // ms after which a q that moved is taken to rest
const IN_HAND = "q in your hand";

/** Weighs the current q: the meter, the sliders that move q, the way of a refinement, and the exact posterior. */
export class Balance {
  gauge = new Meter();
  way = wayOf();
  /** @type {Given | null} */
  #answer = null; // what the model makes of the drawing
  /** @type {Weighed | null} */
  #q = null; // that is weighed
  /** @type {Evidence} */
  #evidence = { log_px: null, exact: false, how: "" }; // log p(x), by the best means so far
  /** @type {Waypoint[] | null} */
  #path = null; // of the refinement, as far as it is shown
  #holds = newest(); // of q: whoever takes it over makes what is heard of an older one come too late
  #isHeld = this.#holds();
  #moves = newest(); // by a hand, or by itself: each ends what moved before
  #refining = false;
  #glance;
  #rested = debounced(() => {
    const q = this.held();
    if (q) this.#ponder(q);
  }, REST);

  /** @param {Tab} tab */
  constructor(tab) {
    this.tab = tab;
    this.#glance = new Glance(tab.plane);
    this.map = new QMap({ over: tab.over, onq: (q) => this.hand.hold(q) });
    this.hand = new Grab({
      onq: (q) => {
        tab.moved();
        this.#moves();
        this.#move(q);
      },
      encode: () => {
        tab.moved();
        this.#encode();
      },
      refine: () => this.refine(),
      send: () => {
        if (!this.hand.q) return;
        movePoint(this.hand.q.mu, "draw");
        openTab("latents");
      },
    });
    /** @typedef {{ request: { image: string } & Hole & Q, isHeld: () => boolean, whose: string }} Pondered */
    this.judge = oneAtATime(
      (/** @type {Pondered} */ { request }) => tab.judge(request),
      (found, { request: { mu, std }, isHeld, whose }) => {
        if (!isHeld()) return;
        if (failed(found)) {
          tab.say(found.error);
          return;
        }
        tab.held(found, whose);
        this.#weigh({ ...found, mu, std });
      },
    );
  }

  /**
   * Takes a model; there is no drawing that it has seen yet.
   *
   * @param {Description} model
   */
  about(model) {
    this.hand.take(model);
    this.gauge.about(model.evidence);
    this.map.about(model);
  }

  /**
   * A drawing's answer puts the encoder's q on the balance.
   *
   * @param {Given} answer
   * @param {boolean} isOther whether it is of another image than the last one, or of another part of it
   */
  show(answer, isOther) {
    if (isOther) this.gauge.rescale();
    this.gauge.take(visibleOf(answer), nameOf(answer));
    this.way.about(this.gauge.evidence);
    this.#hold();
    this.#answer = answer;
    this.#path = null;
    const { log_px, exact, how } = answer;
    this.#evidence = { log_px, exact, how };
    this.way.clear();
    this.map.outdated(nameOf(answer));
    this.#showQ(encoders(answer));
  }

  /**
   * The exact posterior of the drawing, of a model with two dimensions.
   *
   * @param {Exact} truth
   */
  showTruth(truth) {
    if (!this.#q) return;
    this.map.take(truth);
    if (this.#answer) this.#glance.prepare(this.#answer);
    const { log_px, uncertainty } = truth;
    const how = `exact, by quadrature over the plane, ± ${uncertainty?.toFixed(3)}`;
    if (!this.#answer?.exact && log_px !== null && uncertainty !== null && uncertainty < CERTAIN)
      this.#evidence = { log_px, exact: true, how };
    this.#weigh(this.#q);
  }

  clear() {
    this.#hold();
    this.#answer = null;
    this.#q = null;
    this.#path = null;
    this.gauge.clear();
    this.hand.clear();
    this.way.clear();
    this.map.clear();
  }

  /**
   * Puts a q of elsewhere in the hand.
   *
   * @param {Q} q
   * @returns {string} why that cannot be
   */
  take(q) {
    const answer = this.#answer;
    if (!answer) return "";
    const [has, needs] = [q.mu.length, answer.z.length];
    if (has !== needs) return `The link's q has ${count(has, "dimension")}, and this model ${needs}.`;
    this.hand.show(q, encoders(answer));
    this.#ponder(q);
    return "";
  }

  /** The q in the hand, if it is not the encoder's. */
  held() {
    const q = this.hand.q;
    const own = this.#answer && encoders(this.#answer);
    if (!q || !own) return null;
    const isOwn = q.mu.every((m, j) => m === own.mu[j]) && q.std.every((s, j) => s === own.std[j]);
    return isOwn ? null : q;
  }

  #hold() {
    this.#isHeld = this.#holds();
    this.#rested.cancel();
  }

  /** @param {Weighed} q */
  #showQ(q) {
    if (this.#answer) this.hand.show(q, encoders(this.#answer));
    this.#weigh(q);
  }

  /** @param {Weighed} q */
  #weigh(q) {
    this.#q = q;
    this.tab.weighed(q);
    const path = this.#path;
    const split = path && this.#answer && { encoder: this.#answer, best: path[path.length - 1].elbo };
    this.gauge.show({ ...q, ...this.#evidence }, split);
    this.map.show(q, path ?? []);
  }

  /**
   * Has a q judged.
   *
   * @param {Q} q
   */
  #ponder({ mu, std }, whose = IN_HAND) {
    if (!this.#answer) return;
    const { seen: image, hidden } = this.#answer;
    this.judge({ request: { image, hidden, mu, std }, isHeld: this.#isHeld, whose });
  }

  /**
   * q moves: this browser says what it is worth, if it can, and the server once q rests.
   *
   * @param {Q} q
   */
  #move(q) {
    const answer = this.#answer;
    if (!answer) return;
    let isHeld = this.#isHeld;
    const isHere = this.#glance.weigh(answer, q, (terms) => {
      if (!isHeld()) return;
      this.tab.moving(q, IN_HAND);
      this.#weigh({ ...q, ...terms });
    });
    if (!isHere) {
      this.#ponder(q);
      return;
    }
    this.#hold(); // what is still heard of another place comes too late
    isHeld = this.#isHeld;
    this.#rested();
  }

  /**
   * Calls frame(t) with t up to 1; only with 1 for those who mind motion.
   *
   * @param {number} ms
   * @param {(t: number) => void} frame
   * @returns {Promise<boolean>} false where a hand or another drawing took over
   */
  async #animate(ms, frame) {
    const isMine = this.#moves();
    const answer = this.#answer;
    const began = performance.now();
    for (let t = 0; t < 1; ) {
      await new Promise(requestAnimationFrame);
      if (!isMine() || answer !== this.#answer) return false;
      t = wantsStill() ? 1 : Math.min(1, (performance.now() - began) / ms);
      frame(t);
    }
    return true;
  }

  /** q goes back to the encoder's. */
  async #encode() {
    const answer = this.#answer;
    const from = this.hand.q;
    if (!answer || !from) return;
    const to = encoders(answer);
    const done = await this.#animate(BACK, (t) => {
      const at = { mu: between(from.mu, to.mu, t), std: between(from.std, to.std, t) };
      this.hand.show(at, to);
      this.#move(at);
    });
    if (!done) return;
    this.#hold();
    this.tab.held(answer, "encoder’s q(z|x)");
    this.#showQ(to);
  }

  /** Finds the best q of the drawing, and shows the way there. */
  async refine() {
    const mine = this.#answer;
    if (!mine || this.#refining) return;
    this.tab.moved();
    this.#refining = true;
    this.tab.say("Refining q …");
    const found = await this.tab.refine({ image: mine.seen, hidden: mine.hidden });
    this.#refining = false;
    if (!found) return;
    if (mine === this.#answer) {
      this.tab.say("");
      await this.#follow(found);
    } else if (this.#answer?.grey === mine.grey && this.#answer.hidden === mine.hidden) {
      this.tab.say("The model has learned on meanwhile: pause its training to refine q.");
    }
  }

  /**
   * Shows a refinement from its first step to its last.
   *
   * @param {Refined} found
   */
  async #follow(found) {
    const mine = this.#answer;
    this.#hold();
    const how = `estimated from below by ${SURE} draws of the refined q`;
    if (!this.#evidence.exact) this.#evidence = { log_px: found.log_px, exact: false, how };
    const reach = (/** @type {number} */ count) => {
      this.#path = found.path.slice(0, count);
      this.way.show(found, count, this.#evidence.log_px);
      return this.#path[this.#path.length - 1];
    };
    this.map.look(true);
    const done = await this.#animate(WAY, (t) => {
      this.#showQ(reach(Math.max(1, Math.ceil(t * found.path.length))));
    });
    if (mine !== this.#answer) return;
    const best = reach(found.path.length);
    if (done)
      this.#ponder(best, "refined q"); // for its picture
    else if (this.#q) this.#weigh(this.#q);
    this.tab.refined(sum(this.#evidence.log_px, best.elbo, -1));
  }
}

/**
 * The encoder's q with its terms.
 *
 * @param {Looked} answer
 * @returns {Weighed}
 */
const encoders = (answer) => ({ ...answer, mu: answer.z });

/**
 * @param {number[]} from
 * @param {number[]} to
 * @param {number} t
 */
const between = (from, to, t) => from.map((value, j) => value + t * (to[j] - value));
