// The training curves: one Plotly chart that takes increments, so that zoom and hidden traces survive every update.

import { AGAIN, answerOf, debounced, failed, newest } from "../shared/ask.js";
import { ask, feed, show } from "../shared/feed.js";
import { make, nats, rootOf } from "../shared/page.js";
import { offerValue } from "../words/values.js";
import { carried, chart, controls, smoothed, titleOf } from "./chart.js";
import { annotations, changed, line } from "./marks.js";

/** @import { Columns, Component, Figure, Plot, Plotly, Trace } from "../shared/types.js" */
/** @import { Choices } from "./chart.js" */

const SIGNS = { elbo: -1, reconstruction: -1, kl: 1 }; // of the terms whose losses are drawn
const SETTLED = 0.05; // the first part of a training that the vertical axis cuts off until somebody double-clicks
const USUAL = 0.98; // share of the later values that the vertical axis must show: the others may be spikes
const DEBOUNCE = 200; // ms from the last zoom until its full resolution is asked for
const DOTS = 60; // points of a held-out curve; more dots than that become a band
const ROOM = 22; // px between plot and legend, where changes are named

/**
 * The curves; their value from Python is the empty figure, each trace's `meta` the column that it shows.
 *
 * @param {Component<Figure>} component
 */
export async function mount({ element, props }) {
  const node = rootOf(element);
  const place = make("div", { className: "live-plot" });
  node.append(place);
  const { data, layout } = props.value;
  const grouped = data.map((trace) => ({ ...trace, legendgroup: trace.name }));
  const { Plotly, plot } = await chart(place, { data: [...grouped, ...data.map(raw)], layout });
  const columns = data.map((trace) => trace.meta ?? "");
  const { choices, node: bar } = controls(node, plot, () => curves.redraw());
  const note = make("span");
  bar.append(note);
  const titles = data.map((trace) => trace.name ?? "");
  const curves = new Curves({ Plotly, plot, names: columns, titles, choices, note });
  show(node, () => curves.show());
  for (const [name, sign] of Object.entries(SIGNS)) offerValue(name, () => newestValue(name, sign), node);
}

/**
 * The newest value of a quantity, of the training; empty before there is one.
 *
 * @param {string} name
 * @param {number} sign
 */
function newestValue(name, sign) {
  const loss = feed.columns[name]?.at(-1) ?? null;
  return loss === null ? "" : `${nats(sign * loss)} nats, in training`;
}

/**
 * A curve's raw values, faint, for when the curve itself is smoothed: held-out ones as the points they are.
 *
 * @param {Trace} trace
 * @returns {Trace}
 */
function raw(trace) {
  const heldOut = isHeldOut(trace.meta ?? "");
  return {
    ...trace,
    stackgroup: null,
    fill: "none",
    mode: heldOut ? "markers" : "lines",
    opacity: heldOut ? 0.5 : 0.22,
    showlegend: false,
    hoverinfo: "skip",
    hovertemplate: null,
    legendgroup: trace.name,
    meta: `raw ${trace.meta}`,
    line: { ...trace.line, width: 1 },
  };
}

/** @param {string} name */
const isHeldOut = (name) => name.startsWith("test_") || isWatched(name);

/** @param {string} name */
const isWatched = (name) => name.startsWith("watched_");

/**
 * What the chart shows: of which run, how much, how; empty before it was drawn.
 *
 * @typedef {Partial<{
 *   run: string, replaced: number, averaged: boolean | undefined, rows: number, epoch: number, changes: number, moment: number | null, axis: string,
 *   log: boolean, smoothing: number, modes: string, clip: number, marks: string,
 * }>} Drawn
 */

class Curves {
  /** @type {Drawn} */
  #drawn = {};
  /** @type {{ low: number, high: number, columns: Columns } | null} */
  #detail = null; // the rows of the window that is zoomed into
  #lost = ""; // what is said of values that have no place in the chart
  #unheard = ""; // why the window has no full resolution
  #whole = false; // whether the vertical axis takes in the first, steep steps
  #turn = newest(); // of the questions for a window
  #isWanted = () => false; // the last one of them
  #askWindow = debounced(() => this.#window(), DEBOUNCE);

  /**
   * names: the columns of the curves; titles: what the legend calls them.
   *
   * @param {{
   *   Plotly: Plotly, plot: Plot, names: string[], titles: string[], choices: Choices, note: HTMLElement
   * }} parts
   */
  constructor({ Plotly, plot, names, titles, choices, note }) {
    this.Plotly = Plotly;
    this.plot = plot;
    this.names = names;
    this.titles = titles;
    this.choices = choices;
    this.note = note;
    this.curves = names.map((_, i) => i); // the numbers of their traces; the raw ones come after them
    plot.on("plotly_relayout", (change) => this.#relaid(change));
    plot.on("plotly_doubleclick", () => {
      // comes before the chart zooms out
      if (!this.#zoomed("xaxis") && !this.#zoomed("yaxis")) this.#whole = !this.#whole;
      this.#settle();
    });
  }

  /** Draws what is new. */
  show() {
    const now = this.#now();
    const drawn = this.#drawn;
    const other = /** @type {(keyof typeof now)[]} */ (Object.keys(now)).filter((name) => now[name] !== drawn[name]);
    if (other.length === 0) return;
    if (now.run !== drawn.run) {
      this.#detail = null;
      this.#whole = false;
    }
    const rows = drawn.rows ?? 0;
    const extended =
      rows > 0 &&
      now.rows >= rows &&
      this.choices.smoothing === 0 &&
      other.every((name) => ["rows", "changes", "moment"].includes(name));
    if (extended) this.#extend(rows);
    else this.redraw();
    if (other.includes("replaced")) this.#look();
  }

  redraw() {
    const { Plotly, plot, choices, names, curves } = this;
    const columns = merged(feed.columns, this.#detail);
    const traces = this.#points(columns, 0);
    const smooth = traces.map(({ y }) => smoothed(y, choices.smoothing));
    const isFaint = (/** @type {number} */ i) => choices.smoothing > 0 && !plot.data[i].stackgroup;
    const faint = traces.map((trace, i) => (isFaint(i) ? trace : { x: [], y: [] }));
    const empty = columns.step.length === 0;
    const axes = this.#keptAxes();
    const visible = curves.map((i) => plot.data[i].visible ?? true);
    Plotly.restyle(plot, { name: this.#titles() }, curves);
    Plotly.restyle(
      plot,
      { visible },
      curves.map((i) => names.length + i),
    ); // the raw one as the curve above it
    const values = { x: [...traces, ...faint].map(({ x }) => x), y: [...smooth, ...faint.map(({ y }) => y)] };
    Plotly.restyle(
      plot,
      values,
      values.x.map((_, i) => i),
    );
    Plotly.relayout(plot, {
      "xaxis.title.text": titleOf(choices.axis),
      "xaxis.showticklabels": !empty,
      "yaxis.showticklabels": !empty,
      "xaxis.unifiedhovertitle.text": choices.axis === "step" ? "step %{x:,d}" : `${choices.axis} %{x:,.2f}`,
      ...axes,
    });
    const lost = choices.log && traces.some(({ y }) => y.some((value) => value <= 0));
    this.#lost = lost ? "Values of 0 and below have no place on a log scale." : "";
    this.#say();
    this.#finish();
  }

  /** @param {number} rows that are drawn already */
  #extend(rows) {
    const traces = this.#points(feed.columns, rows);
    const which = this.curves.filter((i) => traces[i].x.length);
    const values = { x: which.map((i) => traces[i].x), y: which.map((i) => traces[i].y) };
    if (which.length) this.Plotly.extendTraces(this.plot, values, which);
    this.#finish();
  }

  /** The curves' titles; a run that averages its weights evaluates the averaged ones, and trains the others. */
  #titles() {
    const weights = feed.about?.is_averaged ? ", averaged weights" : "";
    return this.titles.map((title, i) => (this.names[i].startsWith("test_") ? title + weights : title));
  }

  #finish() {
    this.#dot();
    this.#name();
    this.#settle();
    this.#mark();
    Object.assign(this.#drawn, this.#now());
  }

  #now() {
    return {
      run: feed.run,
      replaced: feed.replaced,
      averaged: feed.about?.is_averaged,
      rows: feed.columns.step.length,
      epoch: perEpoch(),
      changes: feed.changes.length,
      moment: feed.moment,
      axis: this.choices.axis,
      log: this.choices.log,
      smoothing: this.choices.smoothing,
    };
  }

  /**
   * The points of each curve from a row on.
   *
   * @param {Columns} columns
   * @param {number} first
   */
  #points(columns, first) {
    const { axis } = this.choices;
    const x =
      axis === "seconds"
        ? columns.seconds
        : axis === "epoch"
          ? columns.step.map((step) => step / perEpoch())
          : columns.step;
    const rows = columns.step.map((_, i) => i).slice(first);
    return this.names.map((name) => {
      const present = rows.filter((i) => columns[name][i] !== null);
      return { x: present.map((i) => x[i]), y: present.map((i) => Number(columns[name][i])) };
    });
  }

  /** @param {"xaxis" | "yaxis"} axis */
  #zoomed(axis) {
    return this.plot.layout[axis].autorange === false;
  }

  /** What the axes become by the choices, with the zoom as it was; another run begins without one. */
  #keptAxes() {
    const { choices, plot } = this;
    const drawn = this.#drawn;
    const { xaxis, yaxis } = plot.layout;
    /** @type {Record<string, unknown>} */
    const axes = {};
    if (drawn.log !== choices.log) axes["yaxis.type"] = choices.log ? "log" : "linear"; // which takes a zoom away
    if (drawn.run !== feed.run) return { ...axes, "xaxis.autorange": true, "yaxis.autorange": true };
    if (drawn.axis !== choices.axis && this.#zoomed("xaxis"))
      axes["xaxis.range"] = xaxis.range?.map((x) => placed(stepAt(x, drawn.axis), choices.axis));
    if (drawn.log !== choices.log) {
      const range = this.#zoomed("yaxis") ? yaxis.range?.map((y) => (choices.log ? Math.log10(y) : 10 ** y)) : null;
      if (range?.every(Number.isFinite)) axes["yaxis.range"] = range;
      else axes["yaxis.autorange"] = true;
    }
    return axes;
  }

  /** Dots on the held-out curves while they are few, and on a curve of a single point. */
  #dot() {
    const { plot, names, curves, choices } = this;
    const count = (/** @type {number} */ i) => plot.data[i].x?.length ?? 0;
    const heldOut = curves.filter((i) => isHeldOut(names[i]));
    const few = !choices.smoothing && heldOut.every((i) => count(i) <= DOTS);
    const mode = curves.map((i) => ((few && heldOut.includes(i)) || count(i) === 1 ? "lines+markers" : "lines"));
    if (mode.join() !== this.#drawn.modes) this.Plotly.restyle(plot, { mode }, curves);
    this.#drawn.modes = mode.join();
  }

  /** Only what a run has is named in the legend: earlier runs, and short ones, have no watched images. */
  #name() {
    const { plot, names, curves } = this;
    const some = curves.filter((i) => isWatched(names[i]) && names[i] !== "watched_exact");
    const showlegend = some.map((i) => Boolean(plot.data[i].x?.length));
    if (showlegend.some((it, n) => it !== plot.data[some[n]].showlegend))
      this.Plotly.restyle(plot, { showlegend }, some);
  }

  /** Lets the first, steep part of a training and later spikes run out of the picture: they would squash the rest. */
  #settle() {
    const { step } = feed.columns;
    const isWhole = step.length < 40 || this.choices.log || this.#whole;
    const range = isWhole ? null : usual(this.#heights(), this.#isStacked);
    const [low, high] = range ?? [undefined, undefined];
    const before = this.#drawn.clip;
    if (high === before || (high && before && Math.abs(high / before - 1) < 0.01)) return;
    this.#drawn.clip = high;
    const options = {
      ...(low === undefined ? {} : { clipmin: low }),
      ...(high === undefined ? {} : { clipmax: high }),
    };
    this.Plotly.relayout(this.plot, { "yaxis.autorangeoptions": options });
  }

  /** Whether the chart's first curves are areas that add up. */
  get #isStacked() {
    return Boolean(this.plot.data[0].stackgroup);
  }

  /** How high the curves are after the first part of the training, each by itself; of areas: the sum, and the lowest. */
  #heights() {
    const names = this.#isStacked ? ["train_elbo", "test_elbo", "train_reconstruction"] : this.names;
    const from = Math.ceil(feed.columns.step.length * SETTLED);
    return names.map((name) => feed.columns[name].slice(from).flatMap((value) => (value === null ? [] : [value])));
  }

  /** A line where a setting was changed, named above as far as there is room, and one at the moment the page shows. */
  #mark() {
    const { Plotly, plot, choices } = this;
    const { step } = feed.columns;
    const marks = changed(feed.changes)
      .filter((change) => change.step <= (step.at(-1) ?? 0))
      .map((change) => ({ ...change, x: placed(change.step, choices.axis) }));
    const shapes = marks.map(({ x }) => line(x));
    if (feed.moment !== null && step.length) shapes.push(line(placed(feed.moment, choices.axis), "solid", "#8a8f98"));
    const names = [...annotations(marks, plot, step.length === 0), ...this.#cutOff()];
    const height = plot._fullLayout._size.h;
    const change = { shapes, annotations: names, "legend.y": 1 + (marks.length ? ROOM : 6) / height };
    const signature = JSON.stringify([shapes, names, marks.length > 0]);
    if (signature !== this.#drawn.marks) Plotly.relayout(plot, change);
    this.#drawn.marks = signature;
  }

  /** A ▲ at the highest value that the vertical axis cuts off, if it cuts any off after the first part. */
  #cutOff() {
    const { clip } = this.#drawn;
    if (clip === undefined || this.#zoomed("yaxis")) return [];
    const { train_elbo: losses, step } = feed.columns;
    const from = Math.ceil(step.length * SETTLED);
    const later = losses.map((value, i) => (i < from ? -Infinity : Number(value)));
    const highest = later.reduce((best, value, i) => (value > later[best] ? i : best), 0);
    if (!(later[highest] > clip)) return [];
    const x = placed(step[highest], this.choices.axis);
    const hovertext = `up to ${later[highest].toFixed(1)} nats; double-click to see all of it`;
    return [{ x, y: 1, yref: "paper", yanchor: "top", text: "▲", showarrow: false, hovertext }];
  }

  /** Asks for the full resolution of what is zoomed into, where the overview is thinned. */
  #look() {
    this.#askWindow.cancel();
    const isNewest = this.#turn();
    const { run } = feed;
    this.#isWanted = () => isNewest() && run === feed.run;
    this.#unheard = "";
    this.#say();
    if (this.#zoomed("xaxis") && feed.covered !== feed.columns.step.length) this.#askWindow();
  }

  async #window() {
    const isWanted = this.#isWanted;
    if (!isWanted()) return;
    const { run } = feed;
    const [low, high] = (this.plot.layout.xaxis.range ?? []).map((x) => stepAt(x, this.choices.axis));
    const answer = await answerOf(ask.window({ run, low, high }));
    if (!isWanted()) return;
    this.#unheard = failed(answer) ? `Not every step of this window is shown. ${answer.error}` : "";
    this.#say();
    if (!failed(answer)) {
      this.#detail = { low, high, columns: answer.columns };
      this.redraw();
    } else if (answer.silent) {
      this.#askWindow(AGAIN);
    }
  }

  #say() {
    this.note.textContent = [this.#lost, this.#unheard].filter(Boolean).join(" ");
  }

  /** @param {Record<string, unknown>} change */
  #relaid(change) {
    if (!Object.keys(change).some((name) => /^xaxis\.(auto)?range/.test(name))) return;
    const overview = this.#detail && !this.#zoomed("xaxis");
    if (overview) this.#detail = null;
    this.#look();
    if (overview) this.redraw();
    else this.#mark();
  }
}

/**
 * The range of the vertical axis that shows nearly all of some curves: from the lowest value, where areas begin, to the
 * highest usual one. Without areas the axis finds its own lower end.
 *
 * @param {number[][]} curves
 * @param {boolean} isStacked
 * @returns {[number | undefined, number] | null}
 */
export function usual(curves, isStacked) {
  const tops = curves.flatMap((values) => {
    const ordered = [...values].sort((a, b) => a - b);
    return ordered.length ? [ordered[Math.floor(USUAL * (ordered.length - 1))]] : [];
  });
  if (tops.length === 0) return null;
  const top = Math.max(...tops);
  const low = curves.flat().reduce((a, b) => Math.min(a, b), Infinity);
  const high = top + 0.04 * Math.abs(top);
  return [isStacked ? low - 0.15 * (high - low) : undefined, high];
}

const perEpoch = () => feed.about?.steps_per_epoch || 1;

/**
 * Where a step lies on a horizontal axis.
 *
 * @param {number} step
 * @param {string} axis
 */
function placed(step, axis) {
  if (axis === "epoch") return step / perEpoch();
  return axis === "step" ? step : carried(step, feed.columns.step, feed.columns.seconds);
}

/**
 * The step at a place of a horizontal axis.
 *
 * @param {number} x
 * @param {string | undefined} axis
 */
function stepAt(x, axis) {
  if (axis === "epoch") return x * perEpoch();
  return axis === "step" ? x : carried(x, feed.columns.seconds, feed.columns.step);
}

/**
 * The overview's rows outside of the detail's window, and the detail's within.
 *
 * @param {Columns} columns
 * @param {{ low: number, columns: Columns } | null} detail
 * @returns {Columns}
 */
function merged(columns, detail) {
  if (!detail || detail.columns.step.length === 0) return columns;
  const end = Math.max(...detail.columns.step.slice(-1), detail.low);
  const rows = columns.step.map((_, i) => i);
  const before = rows.filter((i) => columns.step[i] < detail.low);
  const after = rows.filter((i) => columns.step[i] > end);
  /** @template T @param {T[]} overview @param {T[]} within */
  const pick = (overview, within) => [...before.map((i) => overview[i]), ...within, ...after.map((i) => overview[i])];
  const others = Object.keys(columns).map((name) => [name, pick(columns[name], detail.columns[name])]);
  return {
    ...Object.fromEntries(others),
    step: pick(columns.step, detail.columns.step),
    seconds: pick(columns.seconds, detail.columns.seconds),
  };
}
