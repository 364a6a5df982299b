// Jensen's inequality: the weights of draws of z, the log of their mean and the mean of their logs, for K draws (T13).

import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { Numbers } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";
import { Slider } from "../parts/slider.js";
import { strip } from "../parts/strip.js";
import { Draws } from "./draws.js";
import { Teachers } from "./teachers.js";
import { boundOf, counts, logMeanExp, meanOf, ordersOf, shuffled } from "./weights.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Bound } from "./weights.js" */
/**
 * What is shown. elbo, log_px, average: null as long as they are not known, the last of the bound of K draws; bins: how high the bars are; chosen: the logs of the
 * weights of K draws; bounds: of each of SIZES.
 *
 * @typedef {{
 *   elbo: number | null, log_px: number | null, average: number | null, bins: number[], chosen: Float64Array,
 *   bounds: Bound[],
 * }} Shown
 */

const MOST = 1000; // K
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]; // for which the bound is drawn
const BINS = 44;
const SEEN = 0.01; // of the draws, which may lie to the left of the axis
const ROOM = 0.04; // of the axis, beyond the largest weight
const FIRST = 5; // K, to begin with

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "mean_log", title: "mean of the logs of K weights", term: "elbo", kind: "general" },
  { name: "log_mean", title: "log of the mean of K weights", term: "evidence", kind: "general" },
  { name: "average", title: "the same, on average", term: "evidence", kind: "general" },
  { name: "elbo", title: "ELBO = $\\mathbb{E}_q[\\log w]$", term: "elbo", kind: "general" },
  { name: "log_px", title: "log p(x) = $\\log \\mathbb{E}_q[w]$", term: "evidence", kind: "exact" },
];

/** @type {Build} */
export function build(frame) {
  /** @type {Shown} */
  const now = { elbo: null, log_px: null, average: null, bins: [], chosen: new Float64Array(), bounds: [] };
  /** @type {Float64Array[]} */
  let orders = [];
  let count = FIRST;
  let logs = new Float64Array(); // of all weights so far
  new Numbers(frame, ROWS);
  const [histogram, tightness] = [histogramOf(now), tightnessOf(now, () => count)];
  const choose = () => {
    now.chosen = shuffled(logs).subarray(0, count);
    follow();
  };
  const follow = () => {
    show(frame, now, orders, count);
    histogram.draw();
    tightness.draw();
  };
  const to = (/** @type {number} */ next) => {
    count = Math.round(Math.max(1, Math.min(MOST, next)));
    slider.value = count;
    choose();
    frame.done();
  };
  const slider = new Slider({
    label: "K draws", said: "number of draws K", low: 1, high: MOST, value: FIRST, isLog: true, digits: 0, onInput: to,
  }); // biome-ignore format: one line
  const again = make("button", { type: "button", className: "live-primary", onclick: () => to(count) }, "Draw again");
  handle(tightness, {
    said: "K, as a power of ten", at: () => [Math.log10(count), now.average ?? 0], step: 0.1,
    value: () => Math.log10(count), low: 0, high: 3, to: ({ x }) => x, onInput: (power) => to(10 ** power),
    className: "live-of-evidence",
  }); // biome-ignore format: few lines
  const teachers = new Teachers(frame);
  const draws = new Draws(frame, ({ known, logs: all }, isOther) => {
    logs = all;
    now.log_px = known?.exact?.log_px ?? null;
    orders = logs.length ? ordersOf(logs) : [];
    settle(now, histogram, tightness, logs, orders);
    if (isOther) frame.show({ log_px: "", elbo: "", average: "", mean_log: "", log_mean: "", all: "" });
    if (logs.length) choose();
    if (known?.exact) teachers.see(known);
  });
  frame.numbers.append(slider.node);
  frame.buttons.prepend(again);
  const under = make("div", { className: "live-under" }, tightness.node, teachers.node);
  frame.picture.append(histogram.node, under, strip(frame, { isFlat: true }));
  return { shown: () => draws.wake() };
}

/**
 * Takes all draws, and fits both axes to them.
 *
 * @param {Shown} now
 * @param {Plot} histogram
 * @param {Plot} tightness
 * @param {Float64Array} logs
 * @param {Float64Array[]} orders
 */
function settle(now, histogram, tightness, logs, orders) {
  now.elbo = logs.length ? meanOf(logs) : null;
  now.bounds = logs.length ? SIZES.filter((size) => size <= logs.length).map((size) => boundOf(orders, size)) : [];
  now.chosen = new Float64Array();
  now.average = null;
  now.bins = [];
  if (now.elbo === null) return;
  const sorted = logs.toSorted();
  const [least, most] = [sorted[Math.floor(SEEN * sorted.length)], sorted[sorted.length - 1]];
  const high = Math.max(most, now.log_px ?? most, now.elbo);
  const span = Math.max(high - least, 1e-3);
  histogram.x = [least, high + ROOM * span];
  histogram.options.ticks = ticksOf(...histogram.x);
  histogram.node.dataset.draws = String(logs.length);
  now.bins = counts(logs, ...histogram.x, BINS);
  const top = Math.max(now.log_px ?? -Infinity, ...now.bounds.map(({ average }) => average));
  const deep = Math.max(top - now.elbo, 1e-3);
  tightness.y = [now.elbo - 0.25 * deep, top + 0.35 * deep];
}

/**
 * @param {Frame} frame
 * @param {Shown} now
 * @param {Float64Array[]} orders
 * @param {number} count
 */
function show(frame, now, orders, count) {
  const { elbo, log_px, chosen } = now;
  if (elbo === null || !orders.length) return;
  now.average = boundOf(orders, Math.min(count, orders[0].length)).average;
  frame.show({
    elbo,
    log_px: log_px ?? "",
    mean_log: meanOf(chosen),
    log_mean: logMeanExp(chosen),
    average: now.average,
    all: logMeanExp(orders[0]),
    K: String(count),
  });
}

/**
 * Round numbers within an axis.
 *
 * @param {number} low
 * @param {number} high
 */
function ticksOf(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 3));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => (high - low) / n <= 6) ?? power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, n) =>
    Number((step * (first + n)).toPrecision(9)),
  );
}

/**
 * The histogram of the logs of all weights, the K draws below it, and both ways to take their mean.
 *
 * @param {Shown} now
 */
function histogramOf(now) {
  const plot = new Plot({
    x: [0, 1],
    y: [-0.22, 1.16],
    label: "log w of draws of z from q",
    ratio: 0.46,
    xTitle: "log w",
  });
  const bars = svg("path", { class: "live-bars" });
  const rug = svg("path", { class: "live-rug" });
  plot.layer.append(bars, rug);
  plot.add(() => {
    const most = Math.max(1, ...now.bins);
    const [low, high] = plot.x;
    const width = (high - low) / BINS;
    const bar = (/** @type {number} */ value, /** @type {number} */ n) => {
      const [left, right] = [plot.px(low + n * width) + 0.5, plot.px(low + (n + 1) * width) - 0.5];
      return `M${left},${plot.py(0)}V${plot.py(value / most)}H${right}V${plot.py(0)}Z`;
    };
    set(bars, { d: now.bins.map(bar).join("") });
    const tick = (/** @type {number} */ log) => `M${plot.px(Math.max(low, log))},${plot.py(-0.05)}V${plot.py(-0.17)}`;
    set(rug, { d: [...now.chosen].map(tick).join("") });
  });
  upright(plot, () => now.elbo, { className: "live-of-elbo", text: "mean of log w", isLeft: true });
  upright(plot, () => now.log_px, { className: "live-of-evidence", text: "log of the mean", isLeft: false });
  return plot;
}

/**
 * A vertical line at a value, with a word beside it.
 *
 * @param {Plot} plot
 * @param {() => number | null} at
 * @param {{ className: string, text: string, isLeft: boolean }} how
 */
function upright(plot, at, { className, text, isLeft }) {
  const line = svg("line", { class: className });
  const label = svg("text", { class: className });
  plot.layer.append(line, label);
  plot.add(() => {
    const value = at();
    for (const node of [line, label]) node.style.visibility = value === null ? "hidden" : "";
    if (value === null) return;
    const x = plot.px(value);
    set(line, { x1: x, x2: x, y1: plot.py(-0.2), y2: plot.py(1.12) });
    const isFree = isLeft ? x > 220 : plot.width - x > 220;
    const anchor = isFree ? (isLeft ? "end" : "start") : isLeft ? "start" : "end";
    set(label, { x: x + (anchor === "end" ? -6 : 6), y: plot.py(1.12) + (isLeft ? 12 : 32), "text-anchor": anchor });
    label.textContent = `${text}: ${minus(value.toFixed(2))}`;
  });
}

/**
 * The bound of K draws on average, and where eight of ten single ones lie, against K.
 *
 * @param {Shown} now
 * @param {() => number} count
 */
function tightnessOf(now, count) {
  const plot = new Plot({ x: [-0.1, 3.25], y: [0, 1], label: "the bound of K draws", ratio: 0.8, xTitle: "K" });
  const band = svg("path", { class: "live-area live-of-evidence" });
  const line = svg("path", { class: "live-curve live-of-evidence" });
  const level = svg("line", { class: "live-of-evidence live-exactly" });
  const base = svg("line", { class: "live-of-elbo" });
  const at = svg("line", { class: "live-axis-line" });
  const says = [svg("text", { class: "live-of-evidence" }, "log p(x)"), svg("text", { class: "live-of-elbo" }, "ELBO")];
  const numbers = [1, 10, 100, 1000].map((size) => svg("text", { "text-anchor": "middle" }, String(size)));
  plot.layer.append(band, at, base, level, line, ...says, ...numbers);
  plot.add(() => {
    const isKnown = now.elbo !== null && now.bounds.length > 0;
    for (const node of [band, line, base, says[1]]) node.style.visibility = isKnown ? "" : "hidden";
    for (const node of [level, says[0]]) node.style.visibility = isKnown && now.log_px !== null ? "" : "hidden";
    for (const [n, node] of numbers.entries()) set(node, { x: plot.px(n), y: plot.height - 16 });
    set(at, { x1: plot.px(Math.log10(count())), x2: plot.px(Math.log10(count())), y1: plot.py(plot.y[0]), y2: 0 });
    if (!isKnown) return;
    const clip = (/** @type {number} */ y) => Math.max(0, Math.min(plot.py(plot.y[0]), plot.py(y)));
    const along = (/** @type {(bound: Bound) => number} */ of) =>
      now.bounds.map((bound, n) => `${plot.px(Math.log10(SIZES[n]))},${clip(of(bound))}`);
    const [lows, highs] = [along(({ low }) => low), along(({ high }) => high)];
    set(band, { d: `M${highs.join("L")}L${lows.reverse().join("L")}Z` });
    set(line, { d: `M${along(({ average }) => average).join("L")}` });
    const [left, right] = plot.x.map((x) => plot.px(x));
    const levels = /** @type {const} */ ([
      [level, says[0], now.log_px, -8],
      [base, says[1], now.elbo, 18],
    ]);
    for (const [node, text, value, off] of levels) {
      if (value === null) continue;
      set(node, { x1: left, x2: right, y1: plot.py(value), y2: plot.py(value) });
      set(text, {
        x: left + 4,
        y: plot.py(value) + off,
        "text-anchor": "start",
      });
    }
  });
  return plot;
}
