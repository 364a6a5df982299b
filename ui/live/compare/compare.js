// The ticked runs side by side: their settings, their curves in one chart, the rate–distortion plane, and their films.

import { chart, controls, smoothed } from "../charts/chart.js";
import { ticked } from "../runs/ticks.js";
import { answerOf, failed } from "../shared/ask.js";
import { absorb, empty, hasEnded, inSight, question, show } from "../shared/feed.js";
import { make, rootOf } from "../shared/page.js";
import { QUANTITIES } from "../shared/vocabulary.js";
import { word } from "../words/word.js";
import { Differences, last } from "./differ.js";
import { Films } from "./films.js";
import { canGroup, lines, mark, meanOf } from "./groups.js";
import { opening, points } from "./plane.js";

/**
 * @import { Choices } from "../charts/chart.js"
 * @import { Component, Figure, Plot, Plotly, Store, Trace } from "../shared/types.js"
 * @import { Curve, Line, Run } from "./groups.js"
 */
/**
 * @typedef {Component<{ curves: Figure, plane: Figure }, "follow">} Compared
 * @typedef {ReturnType<typeof layout>} View
 */

const EVERY = 1000; // ms between two looks at the runs
const CHECK = 250; // ms between two looks at whether it is time
const HINT = "Tick runs in the table to compare their curves, and to see them in the rate–distortion plane.";
const WITHOUT = "No held-out figures yet, which come with the first epoch";
const DIFFERENT = "These runs are of different data, likelihoods or pixels: their figures do not compare.";
const NAMED = 3; // runs that a warning names; more are counted
const PLANE =
  ": the newest held-out figures. Along a dotted line the ELBO is the same. A press on a point opens its run.";
const MEAN = "Mean over seeds, with a band from the lowest to the highest";
const KIND = ["data", "likelihood", "binarization"]; // in which runs must agree for their figures to compare
const BAND = "33"; // of a band's colour: a fifth of its full strength
const [HEIGHT, LINE] = [340, 20]; // px of the curves, and of a line of their legend

/**
 * The charts; their value from Python are the empty figures.
 *
 * @param {Compared} component
 */
export async function mount({ element, props, server, trigger }) {
  const node = rootOf(element);
  const view = layout(node);
  const { Plotly, plot: curves } = await chart(view.curves, props.value.curves);
  const { plot: plane } = await chart(view.plane, props.value.plane);
  const { choices, node: bar } = controls(view.left, curves, () => comparison.show());
  bar.prepend(make("label", {}, view.quantity), make("label", {}, view.part));
  const comparison = new Comparison({ view, choices, Plotly, curves, plane, server });
  opening(plane, (run) => trigger("watch_run", { run }));
  bar.append(view.grouping);
  for (const choice of [view.quantity, view.part, view.isGrouped]) choice.onchange = () => comparison.show();
  setInterval(() => {
    if (inSight(node)) comparison.lookInTime();
  }, CHECK);
  show(node, () => {
    comparison.show();
    comparison.lookAtNew();
  });
}

/** @param {HTMLElement} node */
function layout(node) {
  const select = (/** @type {string} */ ariaLabel, /** @type {[string, string][]} */ options) =>
    make("select", { ariaLabel }, ...options.map(([value, text]) => make("option", { value }, text)));
  const [curves, plane] = [make("div", { className: "live-plot" }), make("div", { className: "live-plot" })];
  const left = make("div", { className: "live-column" }, curves);
  const right = make(
    "div",
    { className: "live-column" },
    make("p", {}, word("rate_distortion", "Rate and distortion"), PLANE),
    plane,
  );
  const quantities = Object.entries(QUANTITIES);
  const isGrouped = make("input", { type: "checkbox", checked: true });
  const view = {
    hint: make("p", {}, HINT),
    all: make("div", { hidden: true }),
    both: make("div", { className: "live-compare-charts" }, left, right),
    left,
    curves,
    plane,
    isGrouped,
    grouping: make("label", { hidden: true }, isGrouped, MEAN),
    differences: new Differences(),
    films: new Films(),
    quantity: select(
      "Quantity",
      quantities.map(([name, { title }]) => [name, title]),
    ),
    part: select("Images", [
      ["test", "held-out"],
      ["train", "training"],
    ]),
  };
  view.all.append(make("h2", {}, "Compared"), view.differences.node, view.both, view.films.node);
  node.append(view.hint, view.all);
  return view;
}

class Comparison {
  /** @type {Map<string, Store>} */
  #stores = new Map();
  /** @type {Map<string, string>} */
  #stands = new Map(); // where each run stood at the last look
  #busy = false;
  #last = 0;
  #shown = "";
  #unheard = ""; // why the last look found nothing

  /**
   * @param {{
   *   view: View, choices: Choices, Plotly: Plotly, curves: Plot, plane: Plot, server: Compared["server"],
   * }} parts
   */
  constructor({ view, choices, Plotly, curves, plane, server }) {
    this.view = view;
    this.choices = choices;
    this.Plotly = Plotly;
    this.curves = curves;
    this.plane = plane;
    this.server = server;
  }

  /** Looks at what is new of the runs, if it is time to. */
  lookInTime() {
    if (ticked.size && performance.now() - this.#last > EVERY) this.#look();
  }

  /** Looks at once where a run was ticked that is not known yet. */
  lookAtNew() {
    if ([...ticked.keys()].some((run) => !this.#stores.has(run))) this.#look();
  }

  async #look() {
    if (this.#busy) return;
    this.#busy = true;
    this.#last = performance.now();
    let unheard = "";
    for (const [run, row] of [...ticked]) {
      const store = this.#stores.get(run) ?? empty(run);
      this.#stores.set(run, store);
      const stands = `${row.state} ${row.step}`;
      if (hasEnded(store.state) && store.covered && this.#stands.get(run) === stands) continue; // nothing new since
      this.#stands.set(run, stands);
      const answer = await answerOf(this.server.follow(question(store)));
      if (failed(answer)) unheard = answer.error;
      else absorb(store, answer);
    }
    this.#unheard = unheard;
    this.#busy = false;
    this.show();
  }

  /** Draws what is new. */
  show() {
    const { view, choices } = this;
    const [quantity, part] = [view.quantity.value, view.part.value];
    const runs = this.#runs();
    view.hint.textContent = ticked.size === 0 ? HINT : this.#unheard || warnings(runs, part);
    view.hint.hidden = view.hint.textContent === "";
    view.all.hidden = runs.length === 0;
    view.grouping.hidden = !canGroup(runs);
    const isGrouped = view.isGrouped.checked;
    const stand = runs.map(({ row, store }) => [row, store.covered, store.frames.length, store.state]);
    const now = JSON.stringify([choices, quantity, part, isGrouped, stand]);
    if (now === this.#shown) return;
    this.#shown = now;
    const found = lines(runs, isGrouped);
    const place = new Map(found.flatMap((line) => line.runs.map(({ row }) => [row.run, line.place])));
    const coloured = runs.map((run) => ({ ...run, ...mark(place.get(run.row.run) ?? 0) }));
    view.differences.show(coloured);
    this.#curves(found, `${part}_${quantity}`, QUANTITIES[quantity].title);
    this.#plane(found);
    const labels = lines(runs, false).map(({ label }) => label);
    view.films.show(coloured.map((run, i) => ({ ...run, label: labels[i] })));
  }

  /** The ticked runs of which something is known. */
  #runs() {
    /** @type {Run[]} */
    const runs = [];
    for (const [run, row] of ticked) {
      const store = this.#stores.get(run);
      if (store?.covered) runs.push({ row, store });
    }
    return runs;
  }

  /**
   * @param {Line[]} found
   * @param {string} column
   * @param {string} title
   */
  #curves(found, column, title) {
    const { choices, curves } = this;
    const rows = found.flatMap(({ label }) => label.split("<br>")).length;
    curves.style.height = `${HEIGHT + LINE * rows}px`; // the legend takes nothing from the curves
    const isDotted = column.startsWith("test_") && !choices.smoothing;
    const traces = found.flatMap((line) => drawn(line, column, choices, isDotted ? "lines+markers" : "lines"));
    const { layout: before } = curves;
    this.Plotly.react(curves, traces, {
      ...before,
      yaxis: {
        ...before.yaxis,
        type: choices.log ? "log" : "linear",
        title: { ...before.yaxis.title, text: `${title}, nats per image` },
      },
      xaxis: { ...before.xaxis, title: { text: choices.axis === "seconds" ? "seconds of training" : choices.axis } },
      uirevision: `${choices.axis} ${choices.log} ${column}`,
    });
  }

  /** @param {Line[]} compared */
  #plane(compared) {
    const { plane } = this;
    const found = points(compared);
    if (!found) {
      this.Plotly.react(plane, [], plane.layout);
      return;
    }
    const { layout: before } = plane;
    this.Plotly.react(plane, found.traces, {
      ...before,
      uirevision: compared.flatMap(({ runs }) => runs.map(({ row }) => row.run)).join(),
      xaxis: { ...before.xaxis, range: found.x, autorange: false },
      yaxis: { ...before.yaxis, range: found.y, autorange: false },
    });
  }
}

/**
 * What must be said of a comparison.
 *
 * @param {Run[]} runs
 * @param {string} part
 */
function warnings(runs, part) {
  const without = part === "test" ? runs.filter(({ store }) => last(store.columns) < 0) : [];
  const kinds = new Set(runs.map(({ row: { settings } }) => KIND.map((key) => settings[key]).join()));
  const which = without.length > NAMED ? `${without.length} runs` : without.map(({ row }) => row.title).join(", ");
  const begun = runs.length < ticked.size ? `${ticked.size - runs.length} of ${ticked.size} ticked runs wait.` : "";
  return [begun, without.length ? `${WITHOUT}: ${which}.` : "", kinds.size > 1 ? DIFFERENT : ""].join(" ").trim();
}

/**
 * A line as the chart draws it: a mean lies over its band.
 *
 * @param {Line} line
 * @param {string} column
 * @param {Choices} choices
 * @param {string} mode
 * @returns {Trace[]}
 */
function drawn({ runs, isMean, place, label }, column, choices, mode) {
  const { color, dash } = mark(place);
  const curves = runs.map(({ store }) => curve(store, column, choices));
  const { x, mean: y, low, high } = isMean ? meanOf(curves) : { ...curves[0], mean: curves[0].y, low: [], high: [] };
  const main = { type: "scatter", x, y, mode, name: label, line: { color, dash, width: 2 }, legendgroup: label };
  const shown = { ...main, marker: { size: 5, color }, hovertemplate: "%{y:.2f}" };
  if (!isMean) return [shown];
  const edge = { ...main, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  return [{ ...edge, y: low }, { ...edge, y: high, fill: "tonexty", fillcolor: `${color}${BAND}` }, shown];
}

/**
 * A column of a run as a curve.
 *
 * @param {Store} store
 * @param {string} column
 * @param {Choices} choices
 * @returns {Curve}
 */
function curve({ columns, about }, column, { axis, smoothing }) {
  const rows = columns.step.map((_, k) => k).filter((k) => columns[column][k] !== null);
  const x = (/** @type {number} */ k) => {
    if (axis === "seconds") return columns.seconds[k];
    return axis === "step" ? columns.step[k] : columns.step[k] / (about?.steps_per_epoch || 1);
  };
  const values = rows.map((k) => Number(columns[column][k]));
  return { step: rows.map((k) => columns.step[k]), x: rows.map(x), y: smoothed(values, smoothing) };
}
