// The Draw tab: a drawing, what the model makes of it while the stroke goes, and q in the hand.

import { exactPosterior, prepare } from "../exact/exact.js";
import { Machine } from "../machine/machine.js";
import { forgetDrawn, linkedDrawn, putDrawn } from "../page/drawn.js";
import { copyLink } from "../page/link.js";
import { Balance, SURE } from "../q/balance.js";
import { answerOf, failed, newest, oneAtATime } from "../shared/ask.js";
import { show } from "../shared/feed.js";
import { bytes, make, rootOf } from "../shared/page.js";
import { crowdView } from "./crowd.js";
import { Surface } from "./ink.js";
import { forgetKept, isUntouched, keep, keptDrawing, onPut, posted } from "./kept.js";
import { looked } from "./looked.js";
import { tools } from "./tools.js";

/** @import { Answer, Component, Description, Drawing, Looked, Wrong } from "../shared/types.js" */
/**
 * @typedef {"look" | "judge" | "refine" | "complete" | "crowd" | "truth" | "describe"} Functions
 * @typedef {Component<{ model: string }, Functions>} Drawn its value says which model looks
 * @typedef {Drawing & { model: string, draws: number }} Request
 * @typedef {{ request: Request, isCurrent: () => boolean, resting: boolean }} Asked
 */

const QUICK = 64; // draws of log p̂(x) while the pen moves
const CROWD_AGAIN = 10_000; // ms between two crowds of a model that is training
const FIRST = "Draw something first, or start from a test digit.";
const START = "Draw a digit, or start from one below.";
const FIRST_DIGIT = 4; // that the tab opens with: a 4 lies between 9s, so that its q is worth refining

/**
 * The Draw tab.
 *
 * @param {Drawn} component
 */
export function mount(component) {
  const pad = new Pad(component);
  const { element, props, watch } = component;
  const begun = pad.begin();
  // A model that is training looks again whenever it has other weights.
  /** @type {string | null} */
  let version = null;
  show(element, ({ run, newest: weights }) => {
    if (run !== props.value.model || !weights || weights === version) return;
    version = weights;
    pad.lookAgain();
  });
  watch("value", () => begun.then(() => pad.describe()));
  begun.then(() => pad.describe());
}

class Pad {
  #message = make("div", { className: "live-message", role: "status" });
  /** @type {Machine | null} */
  #machine = null;
  #pictures = looked((grey) => this.#machine?.decoded(grey));
  #others = crowdView();
  #figures = make("small", { className: "live-figures" }); // of the model
  #code = make("div", { className: "live-code" }); // q at its place in the machine
  /** @type {string | null} */
  #described = null; // the model that the page knows, and asks
  /** @type {string | null} */
  #asking = null; // the one that it asks about
  /** @type {Looked | null} */
  #answer = null; // what the model makes of the drawing, as last heard
  /** @type {string | undefined} */
  #heard = ""; // the drawing that it is of
  /** @type {Promise<void> | null} */
  #looking = null; // until the model has seen the drawing as it is now
  #rounds = newest(); // of drawings: clearing begins a new one, and answers of an older one come too late
  #isCurrent = this.#rounds();
  #crowdAsked = -Infinity;
  /** @type {import("../shared/types.js").Q | null} */
  #linkedQ = null; // of the link that the page was opened with, until it is in the hand
  #wrong = ""; // what of that link cannot be used

  /** @param {Drawn} component */
  constructor({ element, props, server }) {
    this.props = props;
    this.server = server;
    const say = (/** @type {string} */ text) => this.#say(text);
    this.surface = new Surface({
      changed: (resting) => {
        this.bench.stroked();
        this.#moved();
        this.#drawn(resting);
      },
      hid: () => this.bench.hid(),
    });
    this.bench = tools(this.surface, {
      say,
      drawn: (resting) => {
        this.#moved();
        this.#drawn(resting);
      },
      cleared: () => this.#clear(),
      grey: () => this.#grey(),
      complete: (request) => this.#heardOf(server.complete({ model: this.#described, ...request })),
    });
    this.scales = new Balance({
      say,
      pictures: this.#pictures,
      weighed: (q) => this.#machine?.show(q),
      moved: () => this.#moved(),
      refine: (request) => this.#heardOf(server.refine({ model: this.#described, ...request })),
      judge: (request) => server.judge({ model: this.#described, ...request }),
    });
    this.#code.append(this.scales.map.node);
    const made = make("canvas", { className: "live-reconstruction" });
    this.#machine = new Machine({ input: this.surface.node, q: this.#code, made, whose: this.#pictures.whose });
    this.#pictures.clear();
    this.look = oneAtATime(
      (/** @type {Asked} */ { request }) => server.look(request),
      (found, asked) => asked.isCurrent() && this.#saw(found, asked),
    );
    this.truth = oneAtATime(
      ({ version, seen, z: mu, std }) =>
        exactPosterior({ model: this.#described ?? "", version, seen, q: { mu, std } }, server),
      (found, /** @type {Looked} */ mine) => {
        if (mine !== this.#answer) return;
        if (failed(found)) this.#say(found.error);
        else this.scales.showTruth(found);
      },
    );
    this.#layout(rootOf(element));
  }

  /** @param {HTMLElement} node */
  #layout(node) {
    const { surface, bench, scales } = this;
    const [pictures, others] = [this.#pictures, this.#others];
    const copy = make("button", { type: "button", className: "live-quiet" }, "Copy link to this drawing");
    copy.onclick = () => this.#copy(copy);
    node.append(
      this.#machine?.node ?? "",
      scales.gauge.node,
      make("div", { className: "live-desk" }, bench.bar, this.#message, bench.start, copy),
      make("div", { className: "live-drawn" }, pictures.many, pictures.pair, bench.completed),
      make("div", { className: "live-q", id: "q-by-hand" }, scales.hand.node, scales.way.node),
      make("div", { className: "live-drawn" }, others.node, this.#figures),
    );
    node.addEventListener("keydown", (event) => {
      const key = event.key.toLowerCase();
      if (!(event.ctrlKey || event.metaKey) || (key !== "z" && key !== "y")) return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) surface.redo();
      else surface.undo();
    });
    onPut((drawing) => {
      surface.remember();
      this.#moved();
      this.#place(drawing);
      this.#drawn();
    });
  }

  /**
   * Copies a link to the drawing and the q that it is shown with.
   *
   * @param {HTMLButtonElement} button
   */
  async #copy(button) {
    const drawing = this.surface.drawing();
    if (!drawing) {
      this.#say(FIRST);
      return;
    }
    await this.#looking;
    await putDrawn(bytes(posted(drawing) ?? ""), this.scales.held());
    await copyLink(button);
  }

  /** A hand has changed the drawing or q: they are no longer those of the link. */
  #moved() {
    this.#linkedQ = null;
    this.#wrong = "";
    forgetDrawn();
  }

  /** Begins with the drawing of the link, or the one that was kept. */
  async begin() {
    const { drawing, q, wrong } = await linkedDrawn();
    if (drawing) keep(drawing);
    this.#linkedQ = q;
    const kept = keptDrawing();
    if (kept) this.#place(kept);
    else this.#showNothing();
    this.#wrong = wrong;
    if (wrong) this.#say(wrong);
  }

  /** The model has other weights. */
  lookAgain() {
    if (this.#answer) this.#drawn(true, true);
  }

  /** Asks about the model that the tab uses now, and has it look. */
  async describe() {
    const { model } = this.props.value;
    if (!model) {
      this.#say("There is no model yet: train one first.");
      return;
    }
    if (this.#asking === model) return;
    if (this.#described !== model) this.#forget();
    this.#asking = model;
    const about = await this.#heardOf(this.server.describe({ model }));
    if (model !== this.props.value.model) return;
    this.#asking = null;
    if (!about) return; // the next stroke asks again
    this.#described = model;
    this.#pictures.about(about);
    this.#machine?.about(about);
    this.#figures.textContent = about.figures ? `This model: ${about.figures}` : "";
    const isPlane = about.dims.length === 2; // then q is an ellipse, and its dimensions are moved below
    (isPlane ? this.scales.hand.node : this.#code).prepend(this.scales.hand.chart.node);
    this.bench.offer(about);
    this.scales.about(about);
    if (isUntouched()) this.#begin(about);
    else if (this.surface.drawing()) this.#drawn();
  }

  /**
   * Begins with a test digit, so that there is something to see.
   *
   * @param {Description} about
   */
  #begin({ examples }) {
    const first = examples.find(({ label }) => label === FIRST_DIGIT) ?? examples[0];
    if (!first) return;
    this.#place({ image: first.image });
    this.#drawn();
  }

  /** @param {string} text */
  #say(text) {
    this.#message.textContent = text;
  }

  /**
   * An answer of the server; null after saying what is wrong.
   *
   * @template {object} T
   * @param {Promise<Answer<T> | undefined>} asking
   * @returns {Promise<T | null>}
   */
  async #heardOf(asking) {
    const found = await answerOf(asking);
    if (!failed(found)) return found;
    this.#say(found.error);
    return null;
  }

  /**
   * The drawing changed, or only the model.
   *
   * @param {boolean} [resting] no stroke goes
   * @param {boolean} [same] the drawing is the same
   */
  #drawn(resting = true, same = false) {
    const drawing = this.surface.drawing();
    if (!drawing) {
      this.#empty();
      return;
    }
    keep(drawing);
    this.surface.node.classList.remove("live-blank");
    if (!this.#described) {
      this.describe(); // and looks when it knows the model
      return;
    }
    if (!same) this.#say(this.#wrong);
    const request = { model: this.#described, ...drawing, draws: resting ? SURE : QUICK };
    this.#looking = this.look({ request, isCurrent: this.#isCurrent, resting });
  }

  /**
   * @param {Answer<Looked>} found
   * @param {Asked} asked
   */
  #saw(found, { request, resting }) {
    if (failed(found)) {
      this.#say(found.error);
      return;
    }
    this.#answer = found;
    this.#heard = posted(request);
    this.#pictures.show(found);
    this.#others.show(found.elbo, found.version);
    this.scales.show(found);
    if (this.#linkedQ && resting) {
      const wrong = this.scales.take(this.#linkedQ);
      this.#linkedQ = null;
      this.#wrong = wrong;
      if (wrong) this.#say(wrong);
    }
    if (found.z.length === 2) prepare(request.model, found.version);
    if (resting) this.#rest(found);
  }

  /**
   * The drawing as it is now in MNIST's format, 784 bytes; null after saying why there is none.
   *
   * @returns {Promise<Uint8Array | null>}
   */
  async #grey() {
    if (!this.surface.drawing()) {
      this.#say(FIRST);
      return null;
    }
    await this.#looking;
    const drawing = this.surface.drawing();
    const seen = this.#answer && drawing && posted(drawing) === this.#heard;
    return seen ? bytes(this.#answer?.grey ?? "") : null; // what is wrong was said then
  }

  /**
   * What is asked only when no stroke goes: the exact posterior of a plane, and the others' ELBOs.
   *
   * @param {Looked} mine
   */
  #rest(mine) {
    if (mine.z.length === 2) this.truth(mine);
    this.#askCrowd(mine);
  }

  /** @param {Looked} mine */
  async #askCrowd(mine) {
    if (this.#others.version() === mine.version || performance.now() - this.#crowdAsked <= CROWD_AGAIN) return;
    this.#crowdAsked = performance.now();
    const model = this.#described;
    const found = await this.#heardOf(this.server.crowd({ model }));
    if (model !== this.#described) return; // it is another model's
    if (found) this.#others.take(found);
    else this.#crowdAsked = -Infinity; // the next stroke asks again
    if (this.#answer) this.#others.show(this.#answer.elbo, this.#answer.version);
  }

  /** Nothing is shown of a drawing, and what is still heard of one comes too late. */
  #reset() {
    this.#isCurrent = this.#rounds();
    this.#answer = null;
    this.#pictures.clear();
    this.#machine?.clear();
    this.bench.clear();
    this.scales.clear();
  }

  #empty() {
    forgetKept();
    this.#showNothing();
  }

  #showNothing() {
    this.#reset();
    this.#others.show(null);
    this.surface.node.classList.add("live-blank");
    this.#say(START);
  }

  #clear() {
    this.#moved();
    this.surface.remember();
    this.surface.clear();
    this.#empty();
  }

  /** Nothing is known of a model any more, nor shown as if it were of the next one. */
  #forget() {
    this.#reset();
    this.#described = null;
    this.#crowdAsked = -Infinity;
    this.#others.clear();
  }

  /** @param {Drawing} drawing */
  #place(drawing) {
    this.surface.place(bytes(posted(drawing) ?? ""));
  }
}
