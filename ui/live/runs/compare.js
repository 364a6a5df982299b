// The ticked runs in one chart, named by the settings in which they differ, and in the rate–distortion plane.

import { chart, controls, smoothed } from "../charts/chart.js";
import { answerOf, failed } from "../shared/ask.js";
import { absorb, empty, hasEnded, inSight, question, show } from "../shared/feed.js";
import { make, rootOf } from "../shared/page.js";
import { QUANTITIES } from "../shared/vocabulary.js";
import { word } from "../words/word.js";
import { named } from "./names.js";
import { newestOf, points } from "./plane.js";
import { ticked } from "./ticks.js";

/**
 * @import { Choices } from "../charts/chart.js"
 * @import { Component, Figure, Plot, Plotly, Row, Store, Trace } from "../shared/types.js"
 */
/**
 * @typedef {Component<{ curves: Figure, plane: Figure }, "follow">} Compared
 * @typedef {ReturnType<typeof layout>} View
 * @typedef {{ row: Row, store: Store }} Run
 */

const EVERY = 1000; // ms between two looks at the runs
const CHECK = 250; // ms between two looks at whether it is time
// Of runs: none is a term's.
const COLOURS = ["#6b6bd6", "#2a9d8f", "#c9a227", "#c44e52", "#4fa3c7", "#8c6d31", "#937ab8", "#5a9e4b"];
const HINT = "Tick runs in the table to compare their curves, and to see them in the rate–distortion plane.";
const WITHOUT = "No held-out figures yet, which come with the first epoch";
const DIFFERENT = "These runs are of different data, likelihoods or pixels: their figures do not compare.";
const PLANE = ": the newest held-out figures; along a dotted line the ELBO is the same.";
const KIND = ["data", "likelihood", "binarization"]; // in which runs must agree for their figures to compare
const [HEIGHT, LINE] = [340, 20]; // px of the curves, and of a line of their legend

/**
 * The charts; their value from Python are the empty figures.
 *
 * @param {Compared} component
 */
export async function mount({ element, props, server }) {
  const node = rootOf(element);
  const view = layout(node);
  const { Plotly, plot: curves } = await chart(view.curves, props.value.curves);
  const { plot: plane } = await chart(view.plane, props.value.plane);
  const { choices, node: bar } = controls(view.left, curves, () => comparison.show());
  bar.prepend(make("label", {}, view.quantity), make("label", {}, view.part));
  const comparison = new Comparison({ view, choices, Plotly, curves, plane, server });
  view.quantity.onchange = () => comparison.show();
  view.part.onchange = () => comparison.show();
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
  const view = {
    hint: make("p", {}, HINT),
    both: make("div", { className: "live-compare-charts" }, left, right),
    left,
    curves,
    plane,
    quantity: select(
      "Quantity",
      quantities.map(([name, { title }]) => [name, title]),
    ),
    part: select("Images", [
      ["test", "held-out"],
      ["train", "training"],
    ]),
  };
  node.append(view.hint, view.both);
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
    view.both.hidden = ticked.size === 0;
    const stand = runs.map(({ row, store }) => [row.run, row.title, store.covered]);
    const now = JSON.stringify([choices, quantity, part, stand]);
    if (now === this.#shown) return;
    this.#shown = now;
    const labels = named(runs.map(({ row }) => row));
    this.#curves(runs, labels, `${part}_${quantity}`, QUANTITIES[quantity].title);
    this.#plane(runs, labels);
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
   * @param {Run[]} runs
   * @param {string[]} labels
   * @param {string} column
   * @param {string} title
   */
  #curves(runs, labels, column, title) {
    const { choices, curves } = this;
    const lines = labels.join("<br>").split("<br>").length;
    curves.style.height = `${HEIGHT + LINE * lines}px`; // the legend takes nothing from the curves
    const dotted = column.startsWith("test_") && !choices.smoothing;
    const traces = runs.map(({ store }, i) => ({
      ...curve(store, column, choices),
      mode: dotted ? "lines+markers" : "lines",
      name: labels[i],
      line: { color: colour(i), width: 2 },
    }));
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

  /**
   * @param {Run[]} runs
   * @param {string[]} labels
   */
  #plane(runs, labels) {
    const { plane } = this;
    const named = runs.map(({ store }, i) => ({ columns: store.columns, name: labels[i], color: colour(i) }));
    const found = points(named);
    if (!found) {
      this.Plotly.react(plane, [], plane.layout);
      return;
    }
    const { layout: before } = plane;
    this.Plotly.react(plane, found.traces, {
      ...before,
      uirevision: runs.map(({ row }) => row.run).join(),
      xaxis: { ...before.xaxis, range: found.x, autorange: false },
      yaxis: { ...before.yaxis, range: found.y, autorange: false },
    });
  }
}

/** @param {number} i */
const colour = (i) => COLOURS[i % COLOURS.length];

/**
 * What must be said of a comparison.
 *
 * @param {Run[]} runs
 * @param {string} part
 */
function warnings(runs, part) {
  const without = part === "test" ? runs.filter(({ store }) => !newestOf(store.columns)) : [];
  const kinds = new Set(runs.map(({ row: { settings } }) => KIND.map((key) => settings[key]).join()));
  return [
    without.length ? `${WITHOUT}: ${without.map(({ row }) => row.title).join(", ")}.` : "",
    kinds.size > 1 ? DIFFERENT : "",
  ]
    .join(" ")
    .trim();
}

/**
 * A column of a run as a curve.
 *
 * @param {Store} store
 * @param {string} column
 * @param {Choices} choices
 * @returns {Trace}
 */
function curve({ columns, about }, column, { axis, smoothing }) {
  const rows = columns.step.map((_, k) => k).filter((k) => columns[column][k] !== null);
  const x = (/** @type {number} */ k) => {
    if (axis === "seconds") return columns.seconds[k];
    return axis === "step" ? columns.step[k] : columns.step[k] / (about?.steps_per_epoch || 1);
  };
  const values = rows.map((k) => Number(columns[column][k]));
  return {
    type: "scatter",
    x: rows.map(x),
    y: smoothed(values, smoothing),
    marker: { size: 5 },
    hovertemplate: "%{y:.2f}",
  };
}
