// The ticked runs in one chart, named by the settings in which they differ, and in the rate–distortion plane.

import { chart, controls, smoothed } from "../charts/chart.js";
import { absorb, empty, hasEnded, inSight, question, show } from "../shared/feed.js";
import { answerOf, make } from "../shared/page.js";
import { ticked } from "./ticks.js";
import { QUANTITIES, SETTINGS } from "../shared/vocabulary.js";

const EVERY = 1000; // ms
const COLOURS = ["#3b82f6", "#e8710a", "#10a37f", "#d6478d", "#9a6bd8", "#b8860b", "#0ea5b7", "#dc2626"];
const HINT = "Tick runs in the table to compare their curves, and to see them in the rate–distortion plane.";
const KIND = ["data", "likelihood", "binarization"]; // in which runs must agree for their figures to compare
const [HEIGHT, LINE] = [340, 20]; // px of the curves, and of a line of their legend
const LINES = 9; // of equal ELBO

export async function mount({ element, props, server }) {
  const node = element.querySelector(".live");
  const hint = make("p", {}, HINT);
  const select = (label, options) =>
    make(
      "select",
      { ariaLabel: label },
      ...Object.entries(options).map(([value, text]) => make("option", { value }, text)),
    );
  const quantity = select(
    "Quantity",
    Object.fromEntries(Object.entries(QUANTITIES).map(([name, { title }]) => [name, title])),
  );
  const part = select("Images", { test: "held-out", train: "training" });
  const plots = { curves: make("div", { className: "live-plot" }), plane: make("div", { className: "live-plot" }) };
  const left = make("div", { className: "live-column" }, plots.curves);
  const right = make(
    "div",
    { className: "live-column" },
    make("p", {}, "Rate and distortion: the newest held-out figures; along a dotted line the ELBO is the same."),
    plots.plane,
  );
  const both = make("div", { className: "live-compare-charts" }, left, right);
  node.append(hint, both);
  const Plotly = await chart(plots.curves, props.value.curves);
  await chart(plots.plane, props.value.plane);
  const choices = controls(left, plots.curves, () => draw());
  left.querySelector(".live-controls").prepend(make("label", {}, quantity), make("label", {}, part));
  quantity.onchange = part.onchange = () => draw();

  const stores = new Map();
  let busy = false;
  let last = 0;
  let shown = "";

  async function look() {
    if (busy) return;
    busy = true;
    last = performance.now();
    for (const [run, row] of [...ticked]) {
      const store = stores.get(run) ?? empty(run);
      stores.set(run, store);
      const stands = `${row.state} ${row.step}`;
      if (hasEnded(store.state) && store.covered && store.stands === stands) continue; // nothing new since
      store.stands = stands;
      const answer = await answerOf(server.follow(question(store)));
      if (!answer.error) absorb(store, answer);
    }
    busy = false;
    draw();
  }

  function draw() {
    const runs = [...ticked]
      .map(([run, row]) => ({ row, store: stores.get(run) }))
      .filter(({ store }) => store?.covered);
    const without =
      part.value === "test" ? runs.filter(({ store }) => !newest(store.columns)).map(({ row }) => row.title) : [];
    const kinds = new Set(runs.map(({ row: { settings } }) => KIND.map((key) => settings[key]).join()));
    hint.textContent =
      ticked.size === 0
        ? HINT
        : [
            without.length ? `No held-out figures yet, which come with the first epoch: ${without.join(", ")}.` : "",
            kinds.size > 1
              ? "These runs are of different data, likelihoods or pixels: their figures do not compare."
              : "",
          ]
            .join(" ")
            .trim();
    hint.hidden = hint.textContent === "";
    both.hidden = ticked.size === 0;
    const now = JSON.stringify([
      choices,
      quantity.value,
      part.value,
      runs.map(({ row, store }) => [row.run, row.title, store.covered]),
    ]);
    if (now === shown) return;
    shown = now;
    const labels = named(runs.map(({ row }) => row));
    const column = `${part.value}_${quantity.value}`;
    plots.curves.style.height = `${HEIGHT + LINE * labels.join("<br>").split("<br>").length}px`; // the legend takes nothing from the curves
    const traces = runs.map(({ store }, i) => {
      const { columns } = store;
      const rows = columns.step.map((_, k) => k).filter((k) => columns[column][k] !== null);
      const x = {
        step: (k) => columns.step[k],
        epoch: (k) => columns.step[k] / (store.about?.steps_per_epoch || 1),
        seconds: (k) => columns.seconds[k],
      }[choices.axis];
      return {
        type: "scatter",
        mode: part.value === "test" && !choices.smoothing ? "lines+markers" : "lines",
        name: labels[i],
        x: rows.map(x),
        y: smoothed(
          rows.map((k) => columns[column][k]),
          choices.smoothing,
        ),
        line: { color: COLOURS[i % COLOURS.length], width: 2 },
        marker: { size: 5 },
        hovertemplate: "%{y:.2f}",
      };
    });
    const { layout } = plots.curves;
    Plotly.react(plots.curves, traces, {
      ...layout,
      yaxis: {
        ...layout.yaxis,
        type: choices.log ? "log" : "linear",
        title: { ...layout.yaxis.title, text: `${QUANTITIES[quantity.value].title}, nats per image` },
      },
      xaxis: { ...layout.xaxis, title: { text: choices.axis === "seconds" ? "seconds of training" : choices.axis } },
      uirevision: `${choices.axis} ${choices.log} ${column}`,
    });
    plane(runs, labels);
  }

  function plane(runs, labels) {
    const points = runs.map(({ store }, i) => ({ i, at: newest(store.columns) })).filter(({ at }) => at);
    const traces = points.map(({ i, at }) => ({
      type: "scatter",
      mode: "markers",
      name: labels[i],
      x: [at.kl],
      y: [at.reconstruction],
      marker: { size: 12, color: COLOURS[i % COLOURS.length] },
      hovertemplate: `${labels[i]}<br>KL %{x:.2f}, −reconstruction %{y:.2f}<br>−ELBO ${(at.kl + at.reconstruction).toFixed(2)}<extra></extra>`,
    }));
    const range = (values, zero) => {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const margin = Math.max(1, 0.15 * (high - low), 0.02 * high);
      return [zero ? Math.max(0, low - margin) : low - margin, high + margin];
    };
    if (points.length === 0) return void Plotly.react(plots.plane, [], plots.plane.layout);
    const xs = range(
      points.map(({ at }) => at.kl),
      true,
    );
    const ys = range(
      points.map(({ at }) => at.reconstruction),
      false,
    );
    const [low, high] = [xs[0] + ys[0], xs[1] + ys[1]];
    const lines = Array.from({ length: LINES }, (_, i) => low + ((i + 1) * (high - low)) / (LINES + 1)).map((loss) => ({
      type: "scatter",
      mode: "lines",
      x: xs,
      y: xs.map((x) => loss - x),
      line: { dash: "dot", width: 1, color: "#8a8f98" },
      hovertemplate: `−ELBO ${loss.toFixed(1)}<extra></extra>`,
    }));
    const { layout } = plots.plane;
    Plotly.react(plots.plane, [...lines, ...traces], {
      ...layout,
      uirevision: runs.map(({ row }) => row.run).join(),
      xaxis: { ...layout.xaxis, range: xs, autorange: false },
      yaxis: { ...layout.yaxis, range: ys, autorange: false },
    });
  }

  setInterval(() => {
    if (inSight(node) && ticked.size && performance.now() - last > EVERY) look();
  }, 250);
  show(node, () => {
    draw();
    if (ticked.size && [...ticked.keys()].some((run) => !stores.has(run))) look();
  });
}

/** The last held-out figures. */
function newest(columns) {
  const i = columns.test_elbo.findLastIndex((value) => value !== null);
  return i < 0 ? null : { kl: columns.test_kl[i], reconstruction: columns.test_reconstruction[i] };
}

/** Parts of a name one after the other, over as many lines as keep them in the chart. */
function lines(parts) {
  const found = [];
  for (const part of parts) {
    if (found.length && found.at(-1).length + part.length < 70) found.push(`${found.pop()}, ${part}`);
    else found.push(part);
  }
  return found.join(",<br>");
}

/** A setting with its value. */
function called(key, value) {
  const { short = key, choices = {} } = SETTINGS[key] ?? {};
  return `${short} = ${choices[value] ?? value}`;
}

/** What each run is called beside the others: its own name, and the settings in which they differ. */
export function named(rows) {
  const differ = Object.keys(rows[0]?.settings ?? {}).filter(
    (key) => new Set(rows.map(({ settings }) => JSON.stringify(settings[key]))).size > 1,
  );
  const labels = rows
    .map(({ settings, name }) => [name, ...differ.map((key) => called(key, settings[key]))].filter(Boolean))
    .map(lines);
  return labels.map((label, i) =>
    label && labels.indexOf(label) === labels.lastIndexOf(label)
      ? label
      : `${label || rows[i].title} (${rows[i].created.slice(11)})`,
  );
}
