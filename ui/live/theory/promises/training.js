// The gap over a recorded training: −ELBO and −log p(x) of the same 100 held-out images, and what lies between (T15).

import { failed } from "../../shared/ask.js";
import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { scaleAround } from "../bound/lengths.js";
import { lessonOf, runHere } from "../parts/lesson.js";
import { Player } from "../parts/player.js";
import { LEFT, Plot } from "../parts/plot.js";

/** @import { Lesson } from "../../shared/types.js" */
/** @import { Given, Part } from "./promises.js" */
/** @typedef {{ epoch: number, step: number, elbo: number, log_px: number }} Look losses, nats */

const LESSON = "watched";

/** @type {Part} */
export const training = {
  title: "Over a training",
  claim: "Twenty epochs, and after each a look at 100 held-out images: log p(x) rises, and the gap need not shrink.",
  bars: true,
  rows: [
    { name: "elbo", title: "ELBO, K = 50 draws", term: "elbo", kind: "general" },
    { name: "gap", title: "gap, at least", sign: "+", term: "gap", kind: "general" },
    { name: "evidence", title: "log p(x), at least", sign: "=", term: "evidence", kind: "general" },
    { name: "exact", title: "log p(x), at the end", term: "evidence", kind: "exact" },
  ],
  build,
};

/** @param {Given} given */
function build(given) {
  const found = make("p", { className: "live-found" });
  given.place.append(found);
  const coming = lessonOf(given.frame.server, LESSON);
  coming.then((lesson) => {
    if (failed(lesson)) found.textContent = `The recorded training did not come. ${lesson.error}`;
    else show(given, lesson, found);
  });
  return {};
}

/**
 * The records with a look at the watched images.
 *
 * @param {Lesson} lesson
 * @returns {Look[]}
 */
export function looks({ columns, total_steps: total }) {
  const { step, watched_elbo: elbo, watched_log_px: log_px } = columns;
  const rows = step.map((_, n) => n).filter((n) => elbo[n] !== null && log_px[n] !== null);
  const perEpoch = total / rows.length;
  return rows.map((n) => ({
    step: step[n], epoch: step[n] / perEpoch, elbo: Number(elbo[n]), log_px: Number(log_px[n]),
  })); // biome-ignore format: one line
}

/**
 * @param {Given} given
 * @param {Lesson} lesson
 * @param {HTMLElement} found
 */
function show({ frame, component, place, numbers, acted }, lesson, found) {
  const all = looks(lesson);
  const exact = lesson.columns.watched_exact.findLast((value) => value !== null) ?? null;
  const [large, small] = plots(all, exact);
  const lines = [markNow(large), markNow(small)];
  const first = all[0];
  const scale = scaleAround(null, [...all.flatMap(({ elbo, log_px }) => [-elbo, -log_px]), exact && -exact]);
  const player = new Player((n) => {
    const look = all[n];
    const gap = look.elbo - look.log_px;
    for (const line of lines) line(look.epoch);
    const isLast = n === all.length - 1;
    frame.show({
      elbo: -look.elbo, gap, evidence: -look.log_px,
      exact: exact === null || !isLast ? "" : -exact,
    }); // biome-ignore format: one line a kind
    numbers.layOn(scale, {
      elbo: { from: scale.base, to: -look.elbo },
      gap: { from: -look.elbo, to: -look.log_px },
      evidence: { from: scale.base, to: -look.log_px },
      exact: exact === null || !isLast ? null : { from: scale.base, to: -exact },
    });
    found.textContent = said(first, look);
    if (n) acted();
  });
  const run = runHere(component, () => LESSON);
  place.append(large.node, small.node, make("div", { className: "live-played" }, player.node, run), found);
  player.take(/** @type {Lesson} */ ({ ...lesson, columns: { ...lesson.columns, step: all.map(({ step }) => step) } }));
}

/**
 * What has happened since the first epoch, in words.
 *
 * @param {Look} first
 * @param {Look} look
 */
function said(first, look) {
  if (look === first) return "Play: does the gap shrink as the ELBO rises?";
  const change = look.elbo - look.log_px - (first.elbo - first.log_px);
  const way = change > 0 ? "grew" : "shrank";
  const rise = minus((first.elbo - look.elbo).toFixed(1));
  const by = Math.abs(change).toFixed(1);
  return `Since epoch 1 the ELBO rose by ${rise} nats, and the gap, as far as K = 50 shows it, ${way} by ${by}.`;
}

/**
 * Both losses with the gap between them, and below it the gap on its own scale.
 *
 * @param {Look[]} all
 * @param {number | null} exact
 */
function plots(all, exact) {
  const x = /** @type {[number, number]} */ ([0, Math.max(...all.map(({ epoch }) => epoch))]);
  const lowest = Math.min(...all.map(({ log_px }) => log_px), exact ?? Infinity);
  const highest = Math.max(...all.map(({ elbo }) => elbo));
  const large = new Plot({
    x, y: [lowest - 1.5, highest + 2], ratio: 0.52, left: LEFT,
    label: "−ELBO and −log p(x) over the training", xTitle: "",
  }); // biome-ignore format: one line
  large.valueAxis("nats per image");
  const elbo = all.map((it) => /** @type {[number, number]} */ ([it.epoch, it.elbo]));
  const px = all.map((it) => /** @type {[number, number]} */ ([it.epoch, it.log_px]));
  const band = svg("path", { class: "live-band" });
  const [upper, lower] = ["elbo", "evidence"].map((term) => svg("path", { class: `live-curve term-${term}` }));
  const diamond = svg("path", { class: "live-dot term-evidence", d: "M0,-7L7,0L0,7L-7,0Z" });
  const names = [
    svg("text", { class: "term-elbo" }, "−ELBO"),
    svg("text", { class: "term-evidence" }, "−log p(x), K = 50"),
  ];
  const exactly = svg("text", { class: "term-evidence", "text-anchor": "end" }, "−log p(x), exact");
  large.layer.append(band, upper, lower, ...names);
  if (exact !== null) large.layer.append(diamond, exactly);
  large.add(() => {
    set(band, { d: `${large.through([...elbo, ...px.toReversed()])}Z` });
    set(upper, { d: large.through(elbo) });
    set(lower, { d: large.through(px) });
    const at = (/** @type {[number, number]} */ [n, y], by = 0) => ({ x: large.px(n) + 6, y: large.py(y) + by });
    set(names[0], at(elbo[Math.min(4, all.length - 1)], -12));
    const under = px[Math.min(8, all.length - 1)]; // where the curve is lower than all of the words before it
    set(names[1], at([px[Math.min(2, all.length - 1)][0], under[1]], 14));
    const [ex, ey] = [large.px(x[1]) - 3, large.py(exact ?? 0)];
    set(diamond, { transform: `translate(${ex},${ey})` });
    set(exactly, { x: ex - 14, y: ey + 5 });
  });
  const small = new Plot({
    x, y: [0, 4], ratio: 0.22, left: LEFT, label: "the gap", ticks: [0, 5, 10, 15, 20], xTitle: "epoch",
  }); // biome-ignore format: one line
  small.valueAxis("");
  const line = svg("path", { class: "live-curve term-gap" });
  const name = svg("text", { class: "term-gap", "text-anchor": "end" }, "gap, at least");
  const gaps = all.map((it) => /** @type {[number, number]} */ ([it.epoch, it.elbo - it.log_px]));
  small.layer.append(line, name);
  small.add(() => {
    set(line, { d: small.through(gaps) });
    set(name, { x: small.width - 10, y: small.py(gaps[gaps.length - 1][1]) + 22 });
  });
  return [large, small];
}

/**
 * A line at the epoch that is shown; returns what moves it.
 *
 * @param {Plot} plot
 */
function markNow(plot) {
  let epoch = 0;
  const line = svg("line", { class: "live-now" });
  plot.layer.append(line);
  const draw = () => set(line, { x1: plot.px(epoch), x2: plot.px(epoch), y1: 8, y2: plot.height - 34 });
  plot.add(draw);
  return (/** @type {number} */ at) => {
    epoch = at;
    if (plot.width) draw();
  };
}
