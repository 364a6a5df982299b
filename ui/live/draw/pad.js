// The Draw tab: the machine with a drawing on it, the meter, tools, and q in the hand.

import { LiveMachine } from "../machine/live.js";
import { putDrawn } from "../page/drawn.js";
import { copyLink } from "../page/link.js";
import { bytes, make, rootOf } from "../shared/page.js";
import { crowdView } from "./crowd.js";
import { posted } from "./kept.js";
import { looked } from "./looked.js";
import { tools } from "./tools.js";

/** @import { Functions } from "../machine/live.js" */
/** @import { Component, Description, Given } from "../shared/types.js" */
/** @typedef {Component<{ model: string | null }, Functions | "complete" | "crowd">} Drawn */

const CROWD_AGAIN = 10_000; // ms between two crowds of a model that is training
const START = "Draw a digit, or start from one below.";
const PART = "Test images are scored on all of their pixels: a drawing with a hidden part has no place among them.";
const FIRST = "Draw something first, or start from a test digit.";

/**
 * The Draw tab.
 *
 * @param {Drawn} component
 */
export function mount(component) {
  const pad = new Pad(component);
  pad.layOut(rootOf(component.element));
  pad.live.begin();
}

class Pad {
  #message = make("div", { className: "live-message", role: "status" });
  #pictures = looked();
  #others = crowdView();
  #figures = make("small", { className: "live-figures" }); // of the model
  /** @type {Given | null} */
  #answer = null; // what the model makes of the drawing, as last heard
  #crowdAsked = -Infinity;

  /** @param {Drawn} component */
  constructor(component) {
    this.server = component.server;
    const say = (/** @type {string} */ text) => {
      this.#message.textContent = text;
    };
    this.live = new LiveMachine(component, {
      say,
      start: START,
      about: (model) => this.#about(model),
      saw: (found, resting) => this.#saw(found, resting),
      held: (found, whose) => this.#pictures.held(found, whose),
      stroked: () => this.bench.stroked(),
      hid: () => this.bench.hid(),
      cleared: () => this.#cleared(),
      forgot: () => {
        this.#crowdAsked = -Infinity;
        this.#others.clear();
      },
    });
    this.bench = tools(this.live.surface, {
      say,
      drawn: (resting) => this.live.changed(resting),
      cleared: () => this.live.clear(),
      grey: () => this.#grey(say),
      complete: (request) => this.live.heardOf(this.server.complete({ model: this.live.model, ...request })),
    });
  }

  /** @param {HTMLElement} node */
  layOut(node) {
    const { bench } = this;
    const { scales, surface } = this.live;
    const [pictures, others] = [this.#pictures, this.#others];
    scales.gauge.node.id = "meter"; // to which the glossary leads
    surface.canvas.id = "draw-pad"; // to which pictures lead
    const copy = make("button", { type: "button", className: "live-quiet" }, "Copy link to this drawing");
    copy.onclick = () => this.#copy(copy);
    node.append(
      this.live.node,
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
  }

  /**
   * Copies a link to the drawing and the q that it is shown with.
   *
   * @param {HTMLButtonElement} button
   */
  async #copy(button) {
    const drawing = this.live.surface.drawing();
    if (!drawing) {
      this.#message.textContent = FIRST;
      return;
    }
    await this.live.looked();
    await putDrawn(bytes(posted(drawing) ?? ""), this.live.scales.held());
    await copyLink(button);
  }

  /** @param {Description} model */
  #about(model) {
    this.#pictures.about(model);
    this.#figures.textContent = model.figures ? `This model: ${model.figures}` : "";
    this.bench.offer(model);
  }

  /**
   * @param {Given} found
   * @param {boolean} resting
   */
  #saw(found, resting) {
    this.#answer = found;
    this.#pictures.saw(found);
    this.#compare(found);
    if (resting) this.#askCrowd(found);
  }

  /** @param {Given} found */
  #compare({ elbo, version, hidden }) {
    if (hidden) this.#others.show(null, version, PART);
    else this.#others.show(elbo, version);
  }

  /** @param {(text: string) => void} say */
  #grey(say) {
    if (this.live.surface.drawing()) return this.live.grey();
    say(FIRST);
    return Promise.resolve(null);
  }

  /**
   * Asks for the others' ELBOs, which is done only when no stroke goes.
   *
   * @param {Given} mine
   */
  async #askCrowd(mine) {
    if (this.#others.version() === mine.version || performance.now() - this.#crowdAsked <= CROWD_AGAIN) return;
    this.#crowdAsked = performance.now();
    const { model } = this.live;
    const found = await this.live.heardOf(this.server.crowd({ model }));
    if (model !== this.live.model) return; // it is another model's
    if (found) this.#others.take(found);
    else this.#crowdAsked = -Infinity; // the next stroke asks again
    if (this.#answer) this.#compare(this.#answer);
  }

  #cleared() {
    this.#answer = null;
    this.#pictures.clear();
    this.#others.show(null);
    this.bench.clear();
  }
}
