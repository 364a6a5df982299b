// The slider of one latent dimension, with its KL, the prior's density, and a strip of what it does. It goes as far as
// the model's test images, or a value further out.

import { never } from "../shared/background.js";
import { pictures } from "../shared/model.js";
import { numberField, read } from "../shared/number.js";
import { make, minus, paint } from "../shared/page.js";
import { set, svg } from "../shared/svg.js";
import { ASLEEP } from "../shared/vocabulary.js";
import { density } from "../space/normal.js";
import { isPoint, movePoint, point } from "../space/point.js";
import { reachOf } from "../space/reach.js";

/** @import { Description, Dimension, Place } from "../shared/types.js" */

const STRIP = 11; // pictures along a dimension, each below the place of the slider that it is of
const DENSE = 160; // pieces of the density's outline
const KL = "KL of this dimension from the prior, averaged over the newest training images";

/** A row of the list of sliders. */
export class Slider {
  #shown = NaN;
  #reach = 0; // to either side of the prior's mean, now
  #range = make("input", { type: "range", step: "any" });
  #number = make("input", { type: "text", className: "live-number" });
  #bell = svg("path");
  #canvas = make("canvas", { className: "live-strip", hidden: true });
  #information = make("small", { title: KL });

  /**
   * @param {Dimension} dimension
   * @param {Description} about
   * @param {Place["say"]} say
   */
  constructor({ index, kl }, { prior_mean: mean, prior_std: std, reach }, say) {
    this.index = index;
    this.asleep = kl !== null && kl < ASLEEP;
    this.mean = mean;
    this.std = std;
    this.reach = reach[index]; // of the model
    this.say = say;
    this.digits = Math.max(2, 2 - Math.floor(Math.log10(std))); // of the number, after its point
    this.inform(kl);
    this.#events();
    const title = make("span", {}, "z", make("sub", {}, String(index)));
    const bell = svg("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none" }, this.#bell);
    const track = make("div", { className: "live-track" }, bell, this.#range);
    const parts = [title, track, this.#number, this.#information, this.#canvas];
    this.node = make("div", { className: "live-row" }, ...parts);
  }

  #events() {
    const [range, number] = [this.#range, this.#number];
    range.setAttribute("aria-label", `z${this.index}`);
    number.setAttribute("aria-label", `z${this.index} as a number`);
    range.dataset.dim = String(this.index);
    range.id = `latents-slider-${this.index}`;
    range.addEventListener("input", () => {
      number.value = Number(range.value).toFixed(this.digits);
      this.#moved(Number(range.value));
    });
    range.addEventListener("dblclick", () => {
      this.show(this.mean);
      this.#moved(this.mean);
    });
    numberField(number, { step: 10 ** Math.round(Math.log10(this.std) - 1) }, { apply: () => this.#typed() });
  }

  #typed() {
    const text = this.#number.value;
    const value = read(text);
    const taken = isPoint([value]);
    if (taken) {
      this.show(value);
      this.#moved(value);
    }
    const now = this.#shown.toFixed(this.digits);
    this.#number.value = now;
    this.say(taken ? "" : `“${text}” is not a number that can be decoded: z${this.index} stays at ${now}.`);
  }

  /** @param {number} value */
  #moved(value) {
    if (!point.z) return;
    this.#shown = value;
    movePoint(this.#with(point.z, value), this);
  }

  /**
   * A point with another value in this dimension.
   *
   * @param {Float32Array} z
   * @param {number} value
   */
  #with(z, value) {
    const moved = Float32Array.from(z);
    moved[this.index] = value;
    return moved;
  }

  /**
   * Shows a value.
   *
   * @param {number} value
   */
  show(value) {
    if (value === this.#shown) return; // of twenty sliders one moves at a time
    this.#shown = value;
    const reach = reachOf(this.reach, value - this.mean);
    if (reach !== this.#reach) set(this.#bell, { d: bell(reach / this.std) });
    this.#reach = reach;
    Object.assign(this.#range, { min: this.mean - reach, max: this.mean + reach, value });
    this.#number.value = value.toFixed(this.digits);
  }

  /**
   * Shows the dimension's KL.
   *
   * @param {number | null} nats
   */
  inform(nats) {
    this.#information.textContent = nats === null ? "" : `${minus(nats.toFixed(2))} nats`;
  }

  /**
   * Shows what the dimension does about the point.
   *
   * @param {boolean} wanted
   */
  strip(wanted) {
    const key = `strip ${this.index}`;
    const { z } = point;
    this.#canvas.hidden = !wanted;
    if (!wanted || !z) {
      never(key);
      return;
    }
    const points = Array.from({ length: STRIP }, (_, n) =>
      this.#with(z, this.mean + this.#reach * ((2 * n + 1) / STRIP - 1)),
    );
    const all = new Uint8Array(784 * STRIP);
    pictures(
      key,
      points,
      (n, grey) => all.set(grey, 784 * n),
      () => paint(this.#canvas, all, STRIP, 1),
    );
  }
}

/**
 * The prior's density over the slider's track, as a path.
 *
 * @param {number} reach prior standard deviations that the track goes to either side
 */
function bell(reach) {
  const points = Array.from({ length: DENSE + 1 }, (_, n) => {
    const x = ((2 * n) / DENSE - 1) * reach;
    return `${(n / DENSE) * 100} ${20 - (18 * density(x)) / density(0)}`;
  });
  return `M0 20L${points.join("L")}L100 20Z`;
}
