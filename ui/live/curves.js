// The training curves: one Plotly chart that takes increments, so that zoom and hidden traces survive every update.

import { chart, controls, smoothed } from "./chart.js";
import { ask, feed, show } from "./feed.js";

const HINT = { text: "The curves of a training appear here.", xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false };
const SETTLED = 0.05; // the first part of a training that the vertical axis may cut off
const LABELLED = 6; // changes that are named; more would lie on each other
const SYMBOLS = { learning_rate: "rate", beta: "β", warmup_steps: "warm-up", free_bits: "free bits", samples: "L", sigma: "σ" };

export async function mount({ element, props }) {
  const node = element.querySelector(".live");
  const plot = node.appendChild(document.createElement("div"));
  plot.className = "live-plot";
  const { data, layout } = props.value;
  // Under each curve its raw values, faint, for when the curve itself is smoothed.
  const raw = data.map((trace) => ({ ...trace, mode: "lines", opacity: 0.22, showlegend: false, hoverinfo: "skip", hovertemplate: null, legendgroup: trace.name, meta: `raw ${trace.meta}`, line: { ...trace.line, width: 1 } }));
  const Plotly = await chart(plot, { data: [...data.map((trace) => ({ ...trace, legendgroup: trace.name })), ...raw], layout });
  const names = data.map((trace) => trace.meta);
  const all = [...names, ...names].map((_, i) => i);

  let drawn = { run: null, rows: 0, last: null, marks: 0, clip: null };
  let detail = null; // the rows of the window that is zoomed into: {low, high, columns}
  const choices = controls(node, plot, () => { detail = null; redraw(); });

  /** Where a step lies on the chosen horizontal axis. */
  const place = (columns, i) => (choices.axis === "seconds" ? columns.seconds[i] : choices.axis === "epoch" ? columns.step[i] / (feed.about?.steps_per_epoch || 1) : columns.step[i]);

  function points(columns, first) {
    const rows = columns.step.map((_, i) => i).slice(first);
    const traces = names.map((name) => {
      const present = rows.filter((i) => columns[name][i] !== null);
      return { x: present.map((i) => place(columns, i)), y: present.map((i) => columns[name][i]) };
    });
    return traces;
  }

  function redraw() {
    const columns = merged(feed.columns, detail);
    const traces = points(columns, 0);
    const smooth = traces.map(({ y }) => smoothed(y, choices.smoothing));
    const faint = choices.smoothing > 0 ? traces : traces.map(() => ({ x: [], y: [] }));
    Plotly.restyle(plot, { x: [...traces, ...faint].map(({ x }) => x), y: [...smooth, ...faint.map(({ y }) => y)] }, all);
    const empty = columns.step.length === 0;
    const title = { step: "step", epoch: "epoch", seconds: "seconds of training" }[choices.axis];
    Plotly.relayout(plot, {
      "xaxis.title.text": title, "yaxis.type": choices.log ? "log" : "linear", "xaxis.showticklabels": !empty, "yaxis.showticklabels": !empty,
      ...(drawn.axis !== choices.axis || drawn.log !== choices.log || drawn.run !== feed.run ? { "xaxis.autorange": true, "yaxis.autorange": true } : {}),
      ...marks(empty),
    });
    settle();
    remember();
  }

  function extend() {
    const traces = points(feed.columns, drawn.rows);
    const which = names.map((_, i) => i).filter((i) => traces[i].x.length);
    if (which.length) Plotly.extendTraces(plot, { x: which.map((i) => traces[i].x), y: which.map((i) => traces[i].y) }, which);
    settle();
    remember();
  }

  const remember = () => {
    const { step } = feed.columns;
    drawn = { ...drawn, run: feed.run, rows: step.length, last: step.at(-1) ?? null, marks: feed.changes.length, axis: choices.axis, log: choices.log, epoch: feed.about?.steps_per_epoch };
  };

  /** Lets the first, steep part of a training run out of the picture, so that it does not squash the rest. */
  function settle() {
    const { step } = feed.columns;
    const from = Math.ceil(step.length * SETTLED);
    const values = step.length < 40 || choices.log ? [] : names.flatMap((name) => feed.columns[name].slice(from).filter((value) => value !== null));
    const clip = values.length ? values.reduce((a, b) => Math.max(a, b)) * 1.04 : undefined;
    if (clip === drawn.clip || (clip && drawn.clip && Math.abs(clip / drawn.clip - 1) < 0.01)) return;
    drawn.clip = clip;
    Plotly.relayout(plot, { "yaxis.autorangeoptions": clip ? { clipmax: clip } : {} });
  }

  function marks(empty) {
    const at = (step) => {
      const i = feed.columns.step.findIndex((s) => s >= step);
      return i < 0 ? null : choices.axis === "seconds" ? feed.columns.seconds[i] : choices.axis === "epoch" ? step / (feed.about?.steps_per_epoch || 1) : step;
    };
    const placed = feed.changes.map((change) => ({ x: at(change.step), text: described(change) })).filter(({ x }) => x !== null);
    return {
      shapes: placed.map(({ x }) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { width: 1, dash: "dot", color: "#9a6bd8" } })),
      annotations: empty ? [HINT] : placed.slice(-LABELLED).map(({ x, text }) => ({ x, y: 1, yref: "paper", yanchor: "top", xanchor: "left", text, textangle: 90, showarrow: false, font: { size: 11, color: "#9a6bd8" } })),
    };
  }

  plot.on("plotly_relayout", async (change) => {
    if (change["xaxis.autorange"] && detail) {
      detail = null;
      redraw();
    }
    const range = change["xaxis.range[0]"] === undefined ? change["xaxis.range"] : [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (!range || feed.covered === feed.columns.step.length) return; // nothing is thinned
    const { run } = feed;
    const [low, high] = range.map(toStep);
    const answer = await ask.window({ run, low, high }).catch(() => undefined);
    if (!answer || answer.error || run !== feed.run) return;
    detail = { low, high, columns: answer.columns };
    redraw();
  });

  /** The step that lies at a place of the chosen horizontal axis. */
  function toStep(x) {
    if (choices.axis === "epoch") return x * (feed.about?.steps_per_epoch || 1);
    if (choices.axis === "step") return x;
    const i = feed.columns.seconds.findIndex((s) => s >= x);
    return feed.columns.step[i < 0 ? feed.columns.step.length - 1 : i];
  }

  redraw();
  show(node, () => {
    const { step } = feed.columns;
    if (feed.run !== drawn.run) detail = null;
    const goes_on = feed.run === drawn.run && step.length >= drawn.rows && (step[drawn.rows - 1] ?? null) === drawn.last && feed.changes.length === drawn.marks && feed.about?.steps_per_epoch === drawn.epoch;
    if (goes_on && step.length === drawn.rows) return;
    if (goes_on && drawn.rows > 0 && choices.smoothing === 0) extend();
    else redraw();
  });
}

/** The overview's rows outside of the detail's window, and the detail's within. */
function merged(columns, detail) {
  if (!detail || detail.columns.step.length === 0) return columns;
  const end = Math.max(detail.columns.step.at(-1), detail.low);
  const before = columns.step.map((step, i) => (step < detail.low ? i : -1)).filter((i) => i >= 0);
  const after = columns.step.map((step, i) => (step > end ? i : -1)).filter((i) => i >= 0);
  const pick = (name) => [...before.map((i) => columns[name][i]), ...detail.columns[name], ...after.map((i) => columns[name][i])];
  return Object.fromEntries(Object.keys(columns).map((name) => [name, pick(name)]));
}

function described({ step, ...settings }) {
  return Object.entries(settings).map(([name, value]) => `${SYMBOLS[name] ?? name} = ${value}`).join(", ");
}
