// The training curves: one Plotly chart that takes increments, so that zoom and hidden traces survive every update.

import { carried, chart, controls, smoothed, titleOf } from "./chart.js";
import { ask, feed, show } from "../shared/feed.js";
import { answerOf, make } from "../shared/page.js";
import { SETTINGS } from "../shared/vocabulary.js";

const HINT = {
  text: "The curves of a training appear here.",
  xref: "paper",
  yref: "paper",
  x: 0.5,
  y: 0.5,
  showarrow: false,
};
const SETTLED = 0.05; // the first part of a training that the vertical axis cuts off until somebody double-clicks
const DEBOUNCE = 200; // ms from the last zoom until its full resolution is asked for
const DOTS = 60; // points of a held-out curve; more dots than that become a band
const ROOM = 22; // px between plot and legend, where changes are named
const MARK = "#9a6bd8";

export async function mount({ element, props }) {
  const node = element.querySelector(".live");
  const plot = node.appendChild(make("div", { className: "live-plot" }));
  const { data, layout } = props.value;
  // Under each curve its raw values, faint, for when the curve itself is smoothed: held-out ones as the points they are.
  const raw = data.map((trace) => ({
    ...trace,
    mode: trace.meta.startsWith("test_") ? "markers" : "lines",
    opacity: trace.meta.startsWith("test_") ? 0.5 : 0.22,
    showlegend: false,
    hoverinfo: "skip",
    hovertemplate: null,
    legendgroup: trace.name,
    meta: `raw ${trace.meta}`,
    line: { ...trace.line, width: 1 },
  }));
  const Plotly = await chart(plot, {
    data: [...data.map((trace) => ({ ...trace, legendgroup: trace.name })), ...raw],
    layout,
  });
  const names = data.map((trace) => trace.meta);
  const all = [...names, ...names].map((_, i) => i);
  const heldOut = names.map((_, i) => i).filter((i) => names[i].startsWith("test_"));

  let drawn = {}; // what the chart shows: of which run, how much, how
  let detail = null; // the rows of the window that is zoomed into: {low, high, columns}
  let whole = false; // whether the vertical axis takes in the first, steep steps
  let asked = 0; // numbers the questions for a window, so that a late answer to an old one is dropped
  let timer = 0;
  const choices = controls(node, plot, () => redraw());
  const note = node.querySelector(".live-controls").appendChild(make("span"));

  const perEpoch = () => feed.about?.steps_per_epoch || 1;
  /** Where a step lies on a horizontal axis, and the other way round. */
  const placed = (step, axis) =>
    axis === "epoch"
      ? step / perEpoch()
      : axis === "step"
        ? step
        : carried(step, feed.columns.step, feed.columns.seconds);
  const stepAt = (x, axis) =>
    axis === "epoch" ? x * perEpoch() : axis === "step" ? x : carried(x, feed.columns.seconds, feed.columns.step);
  const zoomed = (axis) => plot.layout[axis].autorange === false;

  function points(columns, first) {
    const x =
      choices.axis === "seconds"
        ? columns.seconds
        : choices.axis === "epoch"
          ? columns.step.map((step) => step / perEpoch())
          : columns.step;
    const rows = columns.step.map((_, i) => i).slice(first);
    return names.map((name) => {
      const present = rows.filter((i) => columns[name][i] !== null);
      return { x: present.map((i) => x[i]), y: present.map((i) => columns[name][i]) };
    });
  }

  function redraw() {
    const columns = merged(feed.columns, detail);
    const traces = points(columns, 0);
    const smooth = traces.map(({ y }) => smoothed(y, choices.smoothing));
    const faint = choices.smoothing > 0 ? traces : traces.map(() => ({ x: [], y: [] }));
    const empty = columns.step.length === 0;
    const title = titleOf(choices.axis);
    const axes = keptAxes();
    Plotly.restyle(
      plot,
      { visible: names.map((_, i) => plot.data[i].visible ?? true) },
      names.map((_, i) => names.length + i),
    ); // as the curve above it
    Plotly.restyle(
      plot,
      { x: [...traces, ...faint].map(({ x }) => x), y: [...smooth, ...faint.map(({ y }) => y)] },
      all,
    );
    Plotly.relayout(plot, {
      "xaxis.title.text": title,
      "xaxis.showticklabels": !empty,
      "yaxis.showticklabels": !empty,
      "xaxis.unifiedhovertitle.text": choices.axis === "step" ? "step %{x:,d}" : `${choices.axis} %{x:,.2f}`,
      ...axes,
    });
    const lost = choices.log && traces.some(({ y }) => y.some((value) => value <= 0));
    note.textContent = lost ? "Values of 0 and below have no place on a log scale." : "";
    finish();
  }

  function extend() {
    const traces = points(feed.columns, drawn.rows);
    const which = names.map((_, i) => i).filter((i) => traces[i].x.length);
    if (which.length)
      Plotly.extendTraces(plot, { x: which.map((i) => traces[i].x), y: which.map((i) => traces[i].y) }, which);
    finish();
  }

  function finish() {
    dot();
    settle();
    mark();
    drawn = { ...drawn, ...now() };
  }

  const now = () => ({
    run: feed.run,
    anew: feed.anew,
    rows: feed.columns.step.length,
    epoch: perEpoch(),
    changes: feed.changes.length,
    moment: feed.moment,
    axis: choices.axis,
    log: choices.log,
    smoothing: choices.smoothing,
  });

  /** What the axes become by the choices, with the zoom as it was; another run begins without one. */
  function keptAxes() {
    const type = drawn.log === choices.log ? {} : { "yaxis.type": choices.log ? "log" : "linear" }; // which takes a zoom away
    if (drawn.run !== feed.run) return { ...type, "xaxis.autorange": true, "yaxis.autorange": true };
    const ranges = type;
    if (drawn.axis !== choices.axis && zoomed("xaxis")) {
      ranges["xaxis.range"] = plot.layout.xaxis.range.map((x) => placed(stepAt(x, drawn.axis), choices.axis));
    }
    if (drawn.log !== choices.log) {
      const range = zoomed("yaxis") && plot.layout.yaxis.range.map((y) => (choices.log ? Math.log10(y) : 10 ** y));
      Object.assign(
        ranges,
        range && range.every(Number.isFinite) ? { "yaxis.range": range } : { "yaxis.autorange": true },
      );
    }
    return ranges;
  }

  /** Dots on the held-out curves while they are few, and on a curve of a single point. */
  function dot() {
    const few = !choices.smoothing && heldOut.every((i) => plot.data[i].x.length <= DOTS);
    const modes = names.map((_, i) =>
      (few && heldOut.includes(i)) || plot.data[i].x.length === 1 ? "lines+markers" : "lines",
    );
    if (modes.join() !== drawn.modes)
      Plotly.restyle(
        plot,
        { mode: modes },
        names.map((_, i) => i),
      );
    drawn.modes = modes.join();
  }

  /** Lets the first, steep part of a training run out of the picture, so that it does not squash the rest. */
  function settle() {
    const { step } = feed.columns;
    const from = Math.ceil(step.length * SETTLED);
    const values =
      step.length < 40 || choices.log || whole
        ? []
        : names.flatMap((name) => feed.columns[name].slice(from).filter((value) => value !== null));
    const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const clip = values.length ? top + 0.04 * Math.abs(top) : undefined;
    if (clip === drawn.clip || (clip && drawn.clip && Math.abs(clip / drawn.clip - 1) < 0.01)) return;
    drawn.clip = clip;
    Plotly.relayout(plot, { "yaxis.autorangeoptions": clip === undefined ? {} : { clipmax: clip } });
  }

  /** A line where a setting was changed, named above as far as there is room, and one at the moment that the page shows. */
  function mark() {
    const { step } = feed.columns;
    const { xaxis, _size: size } = plot._fullLayout;
    const line = (at, dash, color) => ({
      type: "line",
      x0: at,
      x1: at,
      yref: "paper",
      y0: 0,
      y1: 1,
      layer: "below",
      line: { width: 1, dash, color },
    });
    const marks = changed(feed.changes)
      .filter((change) => change.step <= (step.at(-1) ?? 0))
      .map((change) => ({ ...change, x: placed(change.step, choices.axis) }));
    const shapes = marks.map(({ x }) => line(x, "dot", MARK));
    if (feed.moment !== null && step.length) shapes.push(line(placed(feed.moment, choices.axis), "solid", "#8a8f98"));
    const taken = [];
    const annotations = marks.reverse().map(({ x, step: at, text, hover }) => {
      const half = 4 + 3.2 * text.length;
      const centre = Math.min(Math.max(xaxis.d2p(x), half), size.w - half);
      const free = taken.every(([low, high]) => centre + half < low || centre - half > high);
      if (free) taken.push([centre - half, centre + half]);
      return {
        x,
        xshift: free ? Math.round(centre - xaxis.d2p(x)) : 0,
        y: 1,
        yref: "paper",
        yanchor: free ? "bottom" : "top",
        text: free ? text : "▾",
        showarrow: false,
        hovertext: `after step ${at.toLocaleString("en")}: ${hover}`,
        borderpad: 0,
        font: { size: free ? 11 : 9, color: MARK },
      };
    });
    if (step.length === 0) annotations.push(HINT);
    const change = { shapes, annotations, "legend.y": 1 + (marks.length ? ROOM : 6) / size.h };
    const signature = JSON.stringify([shapes, annotations, marks.length > 0]);
    if (signature !== drawn.marks) Plotly.relayout(plot, change);
    drawn.marks = signature;
  }

  /** Asks for the full resolution of what is zoomed into, where the overview is thinned. */
  function look() {
    clearTimeout(timer);
    asked += 1;
    if (!zoomed("xaxis") || feed.covered === feed.columns.step.length) return;
    const [mine, { run }] = [asked, feed];
    timer = setTimeout(async () => {
      const [low, high] = plot.layout.xaxis.range.map((x) => stepAt(x, choices.axis));
      const answer = await answerOf(ask.window({ run, low, high }));
      if (answer.error || mine !== asked || run !== feed.run) return;
      detail = { low, high, columns: answer.columns };
      redraw();
    }, DEBOUNCE);
  }

  plot.on("plotly_relayout", (change) => {
    if (!Object.keys(change).some((name) => /^xaxis\.(auto)?range/.test(name))) return;
    const overview = detail && !zoomed("xaxis");
    if (overview) detail = null;
    look();
    if (overview) redraw();
    else mark();
  });
  plot.on("plotly_doubleclick", () => {
    // comes before the chart zooms out
    if (!zoomed("xaxis") && !zoomed("yaxis")) whole = !whole;
    settle();
  });

  show(node, () => {
    const here = now();
    const same = Object.keys(here).filter((name) => here[name] !== drawn[name]);
    if (same.length === 0) return;
    if (here.run !== drawn.run) [detail, whole] = [null, false];
    const extends_ =
      drawn.rows > 0 &&
      choices.smoothing === 0 &&
      same.every((name) => ["rows", "changes", "moment"].includes(name)) &&
      here.rows >= drawn.rows;
    if (extends_) extend();
    else redraw();
    if (same.includes("anew")) look();
  });
}

/** The overview's rows outside of the detail's window, and the detail's within. */
function merged(columns, detail) {
  if (!detail || detail.columns.step.length === 0) return columns;
  const end = Math.max(detail.columns.step.at(-1), detail.low);
  const before = columns.step.map((step, i) => (step < detail.low ? i : -1)).filter((i) => i >= 0);
  const after = columns.step.map((step, i) => (step > end ? i : -1)).filter((i) => i >= 0);
  const pick = (name) => [
    ...before.map((i) => columns[name][i]),
    ...detail.columns[name],
    ...after.map((i) => columns[name][i]),
  ];
  return Object.fromEntries(Object.keys(columns).map((name) => [name, pick(name)]));
}

/** The changes in words: text for the chart, and hover with what was before, as far as an earlier change tells. */
function changed(changes) {
  const before = { ...feed.about?.started };
  return changes.map(({ step, ...settings }) => {
    const parts = Object.entries(settings).map(([name, value]) => [SETTINGS[name].short, before[name], value]);
    Object.assign(before, settings);
    return {
      step,
      text: parts.map(([name, , value]) => `${name} = ${value}`).join(", "),
      hover: parts
        .map(([name, was, value]) => (was === undefined ? `${name} = ${value}` : `${name} ${was} → ${value}`))
        .join(", "),
    };
  });
}
