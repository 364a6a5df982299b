// The machine with a drawing on it: what the model in use makes of each stroke, q on the balance, and log p(x).

import { Surface } from "../draw/ink.js";
import { isUntouched, keep, keptDrawing, onKept, posted } from "../draw/kept.js";
import { exactPosterior, prepare } from "../exact/exact.js";
import { forgetDrawn, linkedDrawn } from "../page/drawn.js";
import { Balance, SURE } from "../q/balance.js";
import { planeOf } from "../q/weigh.js";
import { answerOf, failed, newest, oneAtATime } from "../shared/ask.js";
import { inSight, show } from "../shared/feed.js";
import { nameOf } from "../shared/given.js";
import { picture, refreshModel, useModel } from "../shared/model.js";
import { bytes, make } from "../shared/page.js";
import { Machine } from "./machine.js";
import { ofImage, ofNumbers, ofQ } from "./shapes.js";
import { Throw } from "./throw.js";

/** @import { Answer, Component, Decoded, Description, Drawing, Given, Hole, Looked, Q } from "../shared/types.js" */
/**
 * @typedef {"look" | "judge" | "refine" | "truth" | "describe" | "decode"} Functions
 * @typedef {Component<{ model: string | null }, Functions>} Place its value says which model looks, once that is known
 * @typedef {Drawing & Hole & { model: string, draws: number }} Request
 * @typedef {{ request: Request, isCurrent: () => boolean, resting: boolean }} Asked
 */

/**
 * What a tab shows besides. say: a sentence, empty to take the last one back; start: what is said of an empty pad; about:
 * another model; saw: what the model makes of the drawing, and whether no stroke goes; held: what a q decodes to, and
 * whose it is; stroked: by hand; hid: the hidden part is another; cleared: nothing is shown of a drawing; forgot: nor of
 * a model; refined: a refinement came to its end, and left that gap; thrown: ε was.
 *
 * @typedef {Partial<{
 *   about: (model: Description) => void,
 *   saw: (answer: Given, resting: boolean) => void,
 *   held: (answer: Decoded, whose: string) => void,
 *   stroked: () => void,
 *   hid: () => void,
 *   cleared: () => void,
 *   forgot: () => void,
 *   refined: (gap: number | null) => void,
 *   thrown: () => void,
 * }> & { say: (text: string) => void, start: string }} Tab
 */

const QUICK = 64; // draws of log p̂(x) while the pen moves
const FIRST_DIGIT = 4; // to begin with: a 4 lies between 9s, so that its q is worth refining

/** The machine, alive: `node`; `scales` weighs q, `surface` is drawn on, `die` throws ε. */
export class LiveMachine {
  #code = make("div", { className: "live-code" }); // q at its place in the machine
  /** @type {string | null} */
  #described = null; // the model that the page knows, and asks
  /** @type {string | null} */
  #asking = null; // the one that it asks about
  /** @type {Given | null} */
  #answer = null; // what the model makes of the drawing, as last heard
  /** @type {string | undefined} */
  #heard = ""; // the drawing that it is of
  /** @type {Q | null} */
  #q = null; // that is shown
  /** @type {Promise<void> | null} */
  #looking = null; // until the model has seen the drawing as it is now
  #rounds = newest(); // of drawings: clearing begins a new one, and answers of an older one come too late
  #isCurrent = this.#rounds();
  #taken = false; // whether the drawing that is kept is on the surface
  #taker = () => {
    this.#taken = false;
    this.#wake();
  };
  /** @type {string | null} */
  #version = null; // of the weights of a model that is training
  /** @type {Q | null} */
  #linkedQ = null; // of the link that the page was opened with, until a hand, another drawing or model takes over
  #wrong = ""; // what of that link cannot be used

  /**
   * @param {Place} place
   * @param {Tab} tab
   */
  constructor({ element, props, server, watch }, tab) {
    this.element = element;
    this.watch = watch;
    this.props = props;
    this.server = server;
    this.tab = tab;
    this.surface = new Surface({
      changed: (resting) => {
        tab.stroked?.();
        this.changed(resting);
      },
      hid: () => tab.hid?.(),
    });
    this.scales = new Balance({
      say: tab.say,
      held: (found, whose) => this.#held(found, whose),
      weighed: (q) => {
        this.machine.show(q, `E log p(${nameOf(this.#answer ?? {})}|z)`);
        this.die.show(q);
        this.#sayZ(q);
      },
      moved: () => this.#moved(),
      refined: (gap) => tab.refined?.(gap),
      refine: (request) => this.heardOf(server.refine({ model: this.#described, ...request })),
      judge: (request) => server.judge({ model: this.#described, ...request }),
      plane: (version) => planeOf(this.#described ?? "", version),
      moving: ({ mu }, whose) => {
        const grey = picture(Float32Array.from(mu));
        if (grey) this.#decoded(grey, whose);
      },
      over: (grey) => this.machine.over(grey),
    });
    this.#code.append(this.scales.map.node);
    this.die = new Throw(
      (grey) => {
        this.machine.drawn(grey);
        if (this.#q) this.#sayZ(this.#q);
      },
      () => tab.thrown?.(),
    );
    this.machine = new Machine({ title: "x: draw here", x: this.surface.node, q: this.#code, noise: this.die });
    this.node = this.machine.node;
    this.look = oneAtATime(
      (/** @type {Asked} */ { request }) => server.look(request),
      (found, asked) => asked.isCurrent() && this.#saw(found, asked),
    );
    this.truth = oneAtATime(
      ({ version, seen, hidden, z: mu, std }) =>
        exactPosterior({ model: this.#described ?? "", version, seen, hidden, q: { mu, std } }, server),
      (found, /** @type {Given} */ mine) => {
        if (mine !== this.#answer) return;
        if (failed(found)) tab.say(found.error);
        else this.scales.showTruth(found);
      },
    );
  }

  /** @param {Q} q that is shown */
  #sayZ(q) {
    this.#q = q;
    this.machine.say({ q: ofQ(q), z: ofNumbers("z", this.die.z ?? q.mu) });
    this.scales.map.mark(this.die.z);
  }

  /** The model that the page knows; null before it does. */
  get model() {
    return this.#described;
  }

  /**
   * Takes the drawing of the link, or the one that is kept, another model, and other weights of one that is training,
   * from now on and as soon as they can be seen.
   */
  async begin() {
    const { drawing, q, wrong } = await linkedDrawn();
    if (drawing) keep(drawing);
    this.#linkedQ = q;
    this.#wrong = wrong;
    onKept(this.#taker);
    this.watch("value", () => requestAnimationFrame(() => this.#wake())); // when the tab that is opened is shown
    show(this.element, ({ run, newest: weights }) => {
      this.#wake();
      if (run !== this.props.value.model || !weights || weights === this.#version) return;
      this.#version = weights;
      refreshModel();
      if (this.#answer) this.drawn(true, true);
    });
  }

  /** What was missed while nobody saw it. */
  #wake() {
    if (!inSight(this.element)) return;
    if (!this.#taken) {
      this.#taken = true;
      const kept = keptDrawing();
      if (kept) this.#takeKept(kept);
      else this.#showNothing();
      if (this.#wrong) this.tab.say(this.#wrong);
    }
    this.describe();
  }

  /** @param {Drawing} kept */
  #takeKept(kept) {
    const before = this.surface.drawing();
    if (before) {
      this.surface.remember();
      if (posted(before) !== posted(kept)) this.#linkedQ = null;
    }
    this.surface.place(bytes(posted(kept) ?? ""));
    if (this.#described) this.drawn();
  }

  /** Asks about the model that the tab uses now, and has it look. */
  async describe() {
    const { model } = this.props.value;
    if (model === null) return; // the server has not said yet
    if (!model) {
      this.tab.say("There is no model yet: train one first.");
      return;
    }
    useModel(model, this.server);
    if (this.#asking === model || this.#described === model) return;
    if (this.#described) this.#forget();
    this.#asking = model;
    const about = await this.heardOf(this.server.describe({ model }));
    if (model !== this.props.value.model) return;
    this.#asking = null;
    if (!about) return; // the next stroke asks again
    this.#described = model;
    this.machine.clear();
    this.die.about(about);
    const isPlane = about.dims.length === 2; // then q is an ellipse, and its dimensions are moved below
    (isPlane ? this.scales.hand.node : this.#code).prepend(this.scales.hand.chart.node);
    this.scales.about(about);
    this.tab.about?.(about);
    if (isUntouched()) this.#begin(about);
    else if (this.surface.drawing()) this.drawn();
  }

  /**
   * Begins with a test digit, so that there is something to see.
   *
   * @param {Description} about
   */
  #begin({ examples }) {
    const first = examples.find(({ label }) => label === FIRST_DIGIT) ?? examples[0];
    if (!first) return;
    this.surface.place(bytes(first.image));
    this.drawn();
  }

  /**
   * An answer of the server; null after saying what is wrong.
   *
   * @template {object} T
   * @param {Promise<Answer<T> | undefined>} asking
   * @returns {Promise<T | null>}
   */
  async heardOf(asking) {
    const found = await answerOf(asking);
    if (!failed(found)) return found;
    this.tab.say(found.error);
    return null;
  }

  /** A hand has changed the drawing or q: they are no longer those of the link. */
  #moved() {
    this.#linkedQ = null;
    this.#wrong = "";
    forgetDrawn();
  }

  /** A hand has changed the drawing. */
  changed(resting = true) {
    this.#moved();
    this.drawn(resting);
  }

  /**
   * The drawing changed, or only the model.
   *
   * @param {boolean} [resting] no stroke goes
   * @param {boolean} [same] the drawing is the same
   */
  drawn(resting = true, same = false) {
    const drawing = this.surface.drawing();
    if (!drawing) {
      this.#empty();
      return;
    }
    keep(drawing, this.#taker);
    this.surface.node.classList.remove("live-blank");
    if (!this.#described) {
      this.describe(); // and looks when it knows the model
      return;
    }
    if (!same) this.tab.say(this.#wrong);
    const draws = resting ? SURE : QUICK;
    const request = { model: this.#described, ...drawing, ...this.surface.hole(), draws };
    this.#looking = this.look({ request, isCurrent: this.#isCurrent, resting });
  }

  /**
   * @param {Answer<Looked>} answer
   * @param {Asked} asked
   */
  #saw(answer, { request, resting }) {
    if (failed(answer)) {
      this.tab.say(answer.error);
      return;
    }
    const found = { ...answer, hidden: request.hidden };
    const isOther = this.#answer?.seen !== found.seen || this.#answer.hidden !== found.hidden;
    this.#answer = found;
    this.#heard = posted(request);
    this.machine.say({ x: ofImage("x", bytes(found.seen)) });
    this.#held(found, "encoder’s q(z|x)");
    this.tab.saw?.(found, resting);
    this.scales.show(found, isOther);
    if (this.#linkedQ && resting) {
      this.#wrong = this.scales.take(this.#linkedQ); // at each look: the other tabs have the drawing looked at again
      if (this.#wrong) {
        this.#linkedQ = null;
        this.tab.say(this.#wrong);
      }
    }
    if (found.z.length !== 2) return;
    prepare(request.model, found.version);
    if (resting) this.truth(found);
  }

  /**
   * @param {Decoded} found
   * @param {string} whose
   */
  #held(found, whose) {
    this.#decoded(bytes(found.reconstruction), whose);
    this.tab.held?.(found, whose);
  }

  /**
   * @param {Uint8Array} grey
   * @param {string} whose
   */
  #decoded(grey, whose) {
    this.machine.decoded(grey, `decoded from the mean of the ${whose}`);
  }

  /** Waits until the model has seen the drawing as it is now. */
  async looked() {
    await this.#looking;
  }

  /**
   * The drawing as it is now in MNIST's format, 784 bytes; null where there is none, or after saying what is wrong.
   *
   * @returns {Promise<Uint8Array | null>}
   */
  async grey() {
    await this.#looking;
    const drawing = this.surface.drawing();
    const seen = this.#answer && drawing && posted(drawing) === this.#heard;
    return seen ? bytes(this.#answer?.grey ?? "") : null; // what is wrong was said then
  }

  /** Nothing is shown of a drawing, and what is still heard of one comes too late. */
  #reset() {
    this.#isCurrent = this.#rounds();
    this.#answer = null;
    this.machine.clear();
    this.die.clear();
    this.scales.clear();
    this.tab.cleared?.();
  }

  #empty() {
    keep(null, this.#taker);
    this.#showNothing();
  }

  #showNothing() {
    this.surface.clear();
    this.#reset();
    this.surface.node.classList.add("live-blank");
    if (!isUntouched()) this.tab.say(this.tab.start);
  }

  /** Clears the surface, for good. */
  clear() {
    this.#moved();
    this.surface.remember();
    this.surface.clear();
    this.#empty();
  }

  /** Nothing is known of a model any more, nor shown as if it were of the next one. */
  #forget() {
    this.#reset();
    this.#linkedQ = null;
    this.#described = null;
    this.tab.forgot?.();
  }
}
