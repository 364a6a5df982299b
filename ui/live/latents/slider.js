// The slider of one latent dimension, with its KL, the prior's density, and a strip of what it does.

import { never } from "../shared/background.js";
import { pictures } from "../shared/model.js";
import { density } from "../shared/normal.js";
import { make, minus, paint } from "../shared/page.js";
import { movePoint, point } from "../shared/point.js";
import { svg } from "../shared/svg.js";
import { ASLEEP, WITHIN } from "../shared/vocabulary.js";

/** @import { Description, Dimension } from "../shared/types.js" */

const REACH = 4; // prior standard deviations to either side
const STRIP = 11; // pictures along a dimension
const KL = "KL of this dimension from the prior, averaged over the newest training images";

/** A row of the list of sliders. */
export class Slider {
  #shown = NaN;
  #range = make("input", { type: "range", step: "any" });
  #number = make("input", { type: "number", step: 0.1 });
  #canvas = make("canvas", { className: "live-strip", hidden: true });
  #information = make("small", { title: KL });

  /**
   * @param {Dimension} dimension
   * @param {Description} about
   */
  constructor({ index, kl }, { prior_mean: mean, prior_std: std }) {
    this.index = index;
    this.asleep = kl !== null && kl < ASLEEP;
    this.mean = mean;
    this.std = std;
    this.inform(kl);
    this.#events();
    const title = make("span", {}, "z", make("sub", {}, String(index)));
    const track = make("div", { className: "live-track" }, bell(), this.#range);
    const parts = [title, track, this.#number, this.#information, this.#canvas];
    this.node = make("div", { className: "live-row" }, ...parts);
  }

  #events() {
    const [range, number] = [this.#range, this.#number];
    range.setAttribute("aria-label", `z${this.index}`);
    number.setAttribute("aria-label", `z${this.index} as a number`);
    range.dataset.dim = String(this.index);
    range.addEventListener("input", () => {
      number.value = Number(range.value).toFixed(2);
      this.#moved(Number(range.value));
    });
    range.addEventListener("dblclick", () => {
      this.show(this.mean);
      this.#moved(this.mean);
    });
    number.addEventListener("change", () => {
      if (!Number.isFinite(number.valueAsNumber)) {
        number.value = this.#shown.toFixed(2); // nothing was typed, or not a number
        return;
      }
      const reach = WITHIN * this.std;
      const value = Math.min(this.mean + reach, Math.max(this.mean - reach, number.valueAsNumber));
      this.show(value);
      number.value = value.toFixed(2);
      this.#moved(value);
    });
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
    const reach = Math.max(REACH * this.std, Math.abs(value - this.mean)); // a drawing may lie further out
    Object.assign(this.#range, { min: this.mean - reach, max: this.mean + reach, value });
    this.#number.value = value.toFixed(2);
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
      this.#with(z, this.mean + this.std * (-3 + (6 * n) / (STRIP - 1))),
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

/** The prior's density over the slider's track. */
function bell() {
  const points = Array.from({ length: 81 }, (_, n) => {
    const x = (n / 80) * 2 * REACH - REACH;
    return `${(n / 80) * 100} ${20 - (18 * density(x)) / density(0)}`;
  });
  const box = { viewBox: "0 0 100 20", preserveAspectRatio: "none" };
  return svg("svg", box, svg("path", { d: `M0 20L${points.join("L")}L100 20Z` }));
}
