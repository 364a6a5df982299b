// The ELBO of the image in hand by L draws, estimated many times, and the mean of a batch (T9, T10).

import { answerOf, failed } from "../../shared/ask.js";
import { later, never } from "../../shared/background.js";
import { model } from "../../shared/model.js";
import { make } from "../../shared/page.js";
import { Numbers } from "../parts/numbers.js";
import { Slider } from "../parts/slider.js";
import { strip } from "../parts/strip.js";
import { Fall, Histogram } from "./charts.js";
import { drawn, estimates, mean, ofBatch, spread } from "./pool.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */
/** @import { BatchElbos } from "../../shared/types.js" */

const MOST = 2048; // single draws of the image
const ASKED = 512; // of them at once, where the server decodes
const SHOWN = 64; // draws, after which the picture follows
const JOB = "theory-draws";

/** @type {Build} */
export function build(frame) {
  const card = new Draws(frame);
  frame.image.onChange((known, isOther) => isOther && card.take(known));
  return { shown: () => card.go(), hidden: () => never(JOB) };
}

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "mean", title: "ELBO, all draws", term: "elbo", kind: "general" },
  { name: "one", title: "one draw’s spread $s$", kind: "general" },
  { name: "expected", title: "expected, $s/\\sqrt{L}$", kind: "general" },
  { name: "measured", title: "measured", kind: "general" },
  { name: "batch_mean", title: "ELBO of $B$ images", term: "elbo", kind: "general" },
  { name: "of_draws", title: "spread by draws", kind: "general" },
  { name: "of_images", title: "spread by images", kind: "general" },
];

/** The card. */
class Draws {
  /** @type {Known | null} */
  #known = null;
  /** @type {number[]} log p(x|z) of single draws */
  #pool = [];
  /** @type {BatchElbos | null} */
  #batch = null;
  #of = ""; // the weights that the batch is of
  /** @type {number[] | null} the pool that the server fills now */
  #filled = null;
  #histogram = new Histogram();
  /** @type {Fall} */
  #fall;
  #count = make("p", { className: "live-two-curves" });

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.numbers = new Numbers(frame, ROWS, { bars: true });
    const moved = () => {
      this.#show();
      frame.done();
    };
    this.#fall = new Fall((draws) => {
      this.draws.value = draws;
      moved();
    });
    this.draws = new Slider({ label: "$L$ draws", said: "L, draws", low: 1, high: 64, value: 1, isLog: true, digits: 0,
      onInput: moved }); // biome-ignore format: few lines
    this.images = new Slider({ label: "$B$ images", said: "B, images of the batch", low: 1, high: 100, value: 100,
      isLog: true, digits: 0, onInput: () => this.#show() }); // biome-ignore format: few lines
    const knobs = make("div", { className: "live-draw-knobs" }, this.draws.node, this.images.node);
    const below = make("div", { className: "live-of-draws" }, strip(frame), make("div", {}, this.#fall.node, knobs));
    frame.picture.append(this.#count, this.#histogram.node, below);
  }

  /** @param {Known | null} known another image, or another model */
  take(known) {
    this.#known = known;
    this.#pool = [];
    this.numbers.rescale();
    this.#show();
    this.go();
    if (known && known.looked.version !== this.#of) this.#askBatch(known);
  }

  /** Draws on, up to MOST. */
  go() {
    const known = this.#known;
    if (!known || this.#pool.length >= MOST) return;
    if (model.about === known.about && model.decoder) later(JOB, this.#sample(known));
    else if (this.#filled !== this.#pool) this.#askDraws(known);
  }

  /**
   * @param {Known} known
   * @returns {Generator<void>}
   */
  *#sample({ x, q }) {
    const pool = this.#pool;
    while (pool.length < MOST && model.decoder) {
      pool.push(drawn(model.decoder, x, q));
      if (pool.length % SHOWN === 0 && pool === this.#pool) this.#show();
      yield;
    }
  }

  /**
   * The same from the server.
   *
   * @param {Known} known
   */
  async #askDraws({ seen }) {
    const pool = this.#pool;
    this.#filled = pool;
    for (let seed = Math.ceil(pool.length / ASKED); seed < MOST / ASKED; seed += 1) {
      const request = { model: model.id, image: seen, draws: ASKED, seed };
      const answer = await answerOf(this.frame.server.single_draws(request));
      if (pool !== this.#pool) return; // another image, or another model
      if (failed(answer)) {
        this.frame.say(answer.error);
        break;
      }
      pool.push(...answer.log_px);
      this.#show();
    }
    this.#filled = null; // what is missing still is asked for when the card comes into sight again
  }

  /** @param {Known} known */
  async #askBatch(known) {
    this.#of = known.looked.version;
    this.#batch = null;
    const answer = await answerOf(this.frame.server.batch_elbos({ model: model.id }));
    if (this.#of !== known.looked.version) return;
    if (failed(answer)) this.frame.say(answer.error);
    else this.#batch = answer;
    this.#show();
  }

  #show() {
    const [draws, images] = [this.draws, this.images].map((it) => Math.round(it.value));
    const kl = this.#known?.looked.kl ?? 0;
    const values = this.#pool.map((value) => value - kl);
    const all = estimates(values, draws);
    if (values.length > 1) {
      this.#histogram.show(values, draws);
      this.#fall.show(values, draws);
    }
    const many = (/** @type {number} */ n) => n.toLocaleString("en");
    this.#count.textContent = `${many(all.length)} estimates of L = ${draws}, and a Gaussian of their mean and spread`;
    const one = spread(values);
    const found = { one, expected: one / Math.sqrt(draws), measured: spread(all) };
    const batch = this.#batch?.elbos.length ? this.#batch : null;
    const parts = batch ? ofBatch(batch, images, draws) : { of_draws: Number.NaN, of_images: Number.NaN };
    const means = {
      mean: mean(values),
      single: values[values.length - 1] ?? Number.NaN,
      estimate: all[0] ?? Number.NaN,
      loss: -(all[0] ?? Number.NaN),
      minus_kl: this.#known ? -kl : Number.NaN,
      batch_mean: batch ? mean(batch.elbos.slice(0, images)) : Number.NaN,
    };
    const shown = Object.entries({ ...means, ...found, ...parts }).map(([name, value]) => [
      name,
      Number.isFinite(value) ? value : "",
    ]);
    this.frame.show(Object.fromEntries(shown));
    const from0 = (/** @type {[string, number]} */ [name, to]) => [name, Number.isFinite(to) ? { from: 0, to } : null];
    this.numbers.lay(Object.fromEntries(Object.entries({ ...found, ...parts }).map(from0)));
  }
}
