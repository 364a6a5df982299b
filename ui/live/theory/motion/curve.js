// What comes of the steps: the loss of each batch so far, and the same held-out images by the weights of now.

import { make, paint } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { LEFT, Plot } from "../parts/plot.js";
import { joined } from "./board.js";

/** @import { Recording } from "./recording.js" */

const ROOM = 4; // nats above and below the curves

/** The curve and the pictures: `node`. */
export class Progress {
  #upTo = 0;
  #pictures = make("canvas", { className: "live-held-out" });
  #band = svg("path", { class: "live-kl-band" });
  #error = svg("path", { class: "live-curve term-reconstruction" });
  #loss = svg("path", { class: "live-curve term-loss" });
  #now = svg("circle", { r: 4, class: "live-motion-now" });

  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    const { loss, error } = recording.curves;
    const [low, high] = [Math.min(...error) - ROOM, Math.max(...loss) + ROOM];
    const label = "Loss of each batch over the steps of the training";
    const ticks = [1, 100, 200, 300, 400];
    this.plot = new Plot({ x: [0, loss.length], y: [low, high], label, ratio: 0.5, ticks, left: LEFT });
    this.plot.valueAxis("");
    this.plot.layer.append(this.#band, this.#error, this.#loss, this.#now);
    this.plot.add(() => this.#draw());
    const legend = make("div", { className: "live-motion-caption" });
    legend.append(
      coloured("loss", "loss"),
      " = ",
      coloured("reconstruction", "pixels"),
      " + ",
      coloured("kl", "KL"),
      " of each batch",
    );
    const seen = make("figcaption", {}, "test images and their reconstructions");
    const pictures = make("figure", {}, this.#pictures, seen);
    const curve = make("div", {}, legend, this.plot.node);
    this.node = make("div", { className: "live-motion-progress" }, curve, pictures);
  }

  /**
   * @param {number} upTo steps that have a loss, maybe with a part of one
   * @param {number} shot by whose new weights the pictures are made
   */
  show(upTo, shot) {
    this.#upTo = upTo;
    this.#draw();
    const { test, shots } = this.recording;
    paint(this.#pictures, joined([...test, ...shots[shot].made]), test.length, 2);
  }

  #draw() {
    const { loss, error } = this.recording.curves;
    const count = Math.max(0, Math.min(loss.length, Math.floor(this.#upTo)));
    const { plot } = this;
    if (!plot.width) return;
    const points = (/** @type {Float32Array} */ values) =>
      Array.from(values.subarray(0, count), (value, n) => `${plot.px(n + 1).toFixed(1)},${plot.py(value).toFixed(1)}`);
    const [top, bottom] = [points(loss), points(error)];
    set(this.#loss, { d: count ? `M${top.join("L")}` : "" });
    set(this.#error, { d: count ? `M${bottom.join("L")}` : "" });
    set(this.#band, { d: count ? `M${[...top, ...bottom.reverse()].join("L")}Z` : "" });
    const last = Math.max(0, count - 1);
    set(this.#now, { cx: plot.px(last + 1), cy: plot.py(loss[last]), opacity: count ? 1 : 0 });
  }
}

/**
 * @param {string} term
 * @param {string} text
 */
const coloured = (term, text) => make("span", { className: `term-${term}` }, text);
