// q in the hand: μ and σ of one dimension, and what can be done to q.

import { make, minus } from "../shared/page.js";
import { reachOf } from "../space/reach.js";
import { Dimensions } from "./dims.js";

/** @import { Description, Q } from "../shared/types.js" */

const TOUCH = matchMedia("(hover: none)").matches; // a finger that moves scrolls the page
const POWERS = [-2, 1]; // of ten prior standard deviations: what the slider of σ goes through, at least
const ABOUT = 1e-9; // what a power loses by rounding

/** The dimensions, the two sliders of the chosen one, and the buttons below. */
export class Grab {
  /** @type {Description | null} */
  #model = null;
  /** @type {Q | null} */
  #q = null; // that is shown
  /** @type {Q | null} */
  #own = null; // the encoder's
  /** @type {number | null} */
  #taken = null; // the dimension in the hand
  #reach = 0; // of the slider of μ, now
  #powers = POWERS; // of the slider of σ, now
  #mu = slider("μ");
  #sigma = slider("σ");
  #which = make("div", { className: "live-title" });

  /**
   * @param {{ onq: (q: Q) => void, encode: () => void, refine: () => void, send: () => void }} events onq: q was moved
   *   by hand; the others are what the buttons do
   */
  constructor({ onq, encode, refine, send }) {
    this.onq = onq;
    const button = (/** @type {string} */ textContent, /** @type {() => void} */ onclick) =>
      make("button", { type: "button", textContent, onclick, disabled: true });
    this.buttons = [
      button("Back to the encoder’s q", encode),
      button("Find the best q", refine),
      button("Look at it in Latents", send),
    ];
    this.chart = new Dimensions({
      onTake: (index) => {
        this.#taken = index;
        this.#showSliders();
      },
      onDrag: (index, value) => {
        this.#taken = index;
        this.#move({ mu: value });
      },
    });
    this.node = make(
      "div",
      { className: "live-grab" },
      this.chart.node,
      this.#which,
      make("div", { className: "live-handles" }, this.#mu.node, this.#sigma.node),
      make("div", { className: "live-buttons" }, ...this.buttons),
    );
    const { range: mu } = this.#mu;
    const { range: sigma } = this.#sigma;
    mu.addEventListener("input", () => this.#move({ mu: Number(mu.value) }));
    sigma.addEventListener("input", () => {
      if (this.#model) this.#move({ std: this.#model.prior_std * 10 ** Number(sigma.value) });
    });
    this.clear();
  }

  /** The q that is shown. */
  get q() {
    return this.#q;
  }

  /** @param {{ mu?: number, std?: number }} change of the dimension in the hand */
  #move({ mu, std }) {
    if (!this.#q || !this.#own || this.#taken === null) return;
    this.#q = { mu: [...this.#q.mu], std: [...this.#q.std] };
    if (mu !== undefined) this.#q.mu[this.#taken] = mu;
    if (std !== undefined) this.#q.std[this.#taken] = std;
    this.hold(this.#q);
  }

  /**
   * Takes a q that a hand moved.
   *
   * @param {Q} q
   */
  hold(q) {
    if (!this.#own) return;
    this.#q = q;
    this.chart.show({ ...q, own: this.#own });
    this.#showSliders(true);
    this.onq(q);
  }

  /**
   * Shows another model, of which no q is known yet.
   *
   * @param {Description} model
   */
  take(model) {
    this.#model = model;
    this.#q = null;
    for (const it of this.buttons) it.disabled = true;
    const { range: mu } = this.#mu;
    const { range: sigma } = this.#sigma;
    Object.assign(sigma, { min: POWERS[0], max: POWERS[1], value: 0 });
    Object.assign(mu, { min: model.prior_mean - 1, max: model.prior_mean + 1, value: model.prior_mean });
    mu.ariaLabel = "μ of the chosen dimension";
    sigma.ariaLabel = "σ of the chosen dimension";
    this.chart.take(model);
  }

  /**
   * @param {Q} q
   * @param {Q} own the encoder's
   */
  show({ mu, std }, own) {
    this.#q = { mu, std };
    this.#own = own;
    this.chart.show({ mu, std, own });
    this.#showSliders();
    for (const it of this.buttons) it.disabled = false;
  }

  #showSliders(moving = false) {
    const q = this.#q;
    const model = this.#model;
    const j = this.#taken;
    for (const { range } of [this.#mu, this.#sigma]) range.disabled = !q || j === null;
    this.#which.textContent =
      j === null ? "" : `Change q by hand: ${TOUCH ? "tap a dimension above" : "click a dimension above, or drag it"}`;
    if (!q || !model || j === null) return;
    const { prior_mean: mean, prior_std: std, reach } = model;
    const another = TOUCH ? "tap another one above" : "click another one above, or drag it";
    this.#which.textContent = `Change q by hand: dimension z${j} (${another})`;
    const far = reachOf(reach[j], q.mu[j] - mean);
    this.#reach = moving ? Math.max(this.#reach, far) : far; // it does not shrink under the hand
    Object.assign(this.#mu.range, { min: mean - this.#reach, max: mean + this.#reach, value: q.mu[j] });
    const power = Math.log10(q.std[j] / std);
    const [least, most] = moving ? this.#powers : POWERS;
    this.#powers = [Math.min(least, Math.floor(power + ABOUT)), Math.max(most, Math.ceil(power - ABOUT))];
    Object.assign(this.#sigma.range, { min: this.#powers[0], max: this.#powers[1], value: power });
    this.#mu.output.textContent = minus(q.mu[j].toFixed(2));
    this.#sigma.output.textContent = String(Number(q.std[j].toPrecision(3)));
  }

  clear() {
    this.#q = null;
    this.chart.clear();
    this.#showSliders();
    for (const it of this.buttons) it.disabled = true;
  }
}

/** @param {string} name */
function slider(name) {
  const range = make("input", { type: "range", step: "any" });
  const output = make("output");
  return { range, output, node: make("label", {}, make("span", {}, name), range, output) };
}
