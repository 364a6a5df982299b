// −log p of an event, of a density, and of the image in hand among the test images (T2).

import { bytes, make, minus, SIDE } from "../../shared/page.js";
import { logDensity } from "../../space/gaussian.js";
import { handle } from "../parts/handle.js";
import { Numbers } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";
import { strip } from "../parts/strip.js";
import { Among } from "./among.js";

/** @import { Build, Frame } from "../frame.js" */

const [LEAST, MOST] = [0.005, 1]; // of p
const [NARROW, WIDE] = [0.1, 1.2]; // of σ
const ROOM = 1.25; // of the axis of densities above the highest

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "nats", title: "−log p of the event, nats", kind: "general" },
  { name: "bits", title: "the same in bits, ÷ log 2", kind: "general" },
  { name: "peak", title: "−log of the density’s top", kind: "general" },
  { name: "elbo", title: "−ELBO of x, nats", term: "elbo", kind: "general" },
  { name: "evidence", title: "−log p(x), nats", term: "evidence", kind: "exact" },
  { name: "share", title: "test images with more than x", kind: "general" },
  { name: "empty", title: "… with more than the empty image", kind: "general" },
];

/** @type {Build} */
export function build(frame) {
  new Numbers(frame, ROWS);
  const pair = make("div", { className: "live-two" }, event(frame), density(frame));
  const among = new Among(frame);
  const empty = make("button", { type: "button", className: "live-quiet" }, "the empty image");
  /** @type {Uint8Array | null} */
  let before = null; // the empty image, which leaves with the card
  empty.onclick = () => {
    if (frame.image.known && !before) before = bytes(frame.image.known.looked.grey);
    frame.image.take(new Uint8Array(SIDE ** 2));
    frame.done();
    among.show();
  };
  const below = strip(frame, { isFlat: true });
  below.append(empty);
  frame.picture.append(pair, among.node, below);
  frame.image.onChange((known) => {
    if (before && known && bytes(known.looked.grey).some((grey) => grey > 0)) before = null; // another was chosen
    among.take(known);
  });
  const leave = () => {
    among.shown(false);
    if (before) frame.image.take(before);
    before = null;
  };
  return { shown: () => among.shown(true), hidden: leave };
}

/**
 * The curve −log p, with p to drag.
 *
 * @param {Frame} frame
 */
function event(frame) {
  const it = { p: 1 / Math.E };
  const plot = new Plot({
    x: [0, MOST * 1.04], y: [0, 5.4], label: "−log p over p", ratio: 0.72, ticks: [0, 0.5, 1], xTitle: "p",
  }); // biome-ignore format: one line an axis
  const information = (/** @type {number} */ p) => -Math.log(Math.max(1e-9, Math.min(1, p)));
  const show = () => {
    const nats = information(it.p);
    plot.draw();
    frame.show({ nats, bits: nats / Math.LN2, twice: 2 * nats });
  };
  plot.curve(information, "term-prior");
  plot.mark("", () => [Math.max(0.24, Math.min(0.72, it.p + 0.2)), information(it.p) + 0.1]);
  const word = plot.layer.querySelector("text");
  plot.add(() => {
    if (word) word.textContent = `p = ${it.p.toFixed(3)}: ${minus(information(it.p).toFixed(2))} nats`;
  });
  handle(plot, {
    said: "p of the event",
    at: () => [it.p, information(it.p)],
    value: () => it.p,
    low: LEAST,
    high: MOST,
    step: 0.01,
    to: ({ x }) => x,
    onInput: (p) => {
      it.p = p;
      show();
    },
  });
  show();
  return plot.node;
}

/**
 * A Gaussian density, with its width to drag: it may exceed 1.
 *
 * @param {Frame} frame
 */
function density(frame) {
  const it = { mu: 0, sigma: 0.25 };
  const plot = new Plot({
    x: [-2, 2], y: [0, 2], label: "a density over x", ratio: 0.72, ticks: [-2, -1, 0, 1, 2], xTitle: "x",
  }); // biome-ignore format: one line an axis
  const f = (/** @type {number} */ x) => Math.exp(logDensity(x, it));
  const show = () => {
    plot.y = [0, ROOM * Math.max(1, f(0))];
    plot.draw();
    frame.show({ peak: -logDensity(0, it) });
  };
  plot.area(f, "term-prior");
  plot.curve(f, "term-prior");
  plot.curve(() => 1, "live-one");
  plot.mark("1", () => [-1.9, 1], "live-soft");
  plot.mark("", () => [0, f(0)]);
  const word = plot.layer.querySelectorAll("text")[1];
  plot.add(() => {
    word.textContent = `up to ${f(0).toFixed(2)}`;
  });
  handle(plot, {
    said: "width of the density",
    at: () => [it.sigma, f(it.sigma)],
    value: () => it.sigma,
    low: NARROW,
    high: WIDE,
    to: ({ x }) => Math.abs(x),
    onInput: (sigma) => {
      it.sigma = sigma;
      show();
    },
  });
  show();
  return plot.node;
}
