// Plotly, loaded from this server when the first chart is mounted; a chart lives as long as the page.

import { inSight } from "../shared/feed.js";
import { make } from "../shared/page.js";

const KEPT = "vae-chart"; // in the browser's local storage
const AXES = { step: "step", epoch: "epoch", seconds: "seconds of training" };

let library = null;
const bars = new Set(); // of choices, one above each chart that has them

/** Plotly. */
export function plotly() {
  library ??= new Promise((resolve, reject) => {
    // Beside a <base> Plotly names its clip paths by the page's address, which follows tab and model: curves would then
    // go on over the legend. Gradio's <base href="./"> is where the page is, so that nothing is missed without it.
    document.querySelector("base")?.remove();
    const script = document.createElement("script");
    script.src = new URL("../library/plotly.min.js", import.meta.url).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("The chart's library could not be loaded."));
    document.head.append(script);
  });
  return library;
}

/** A chart of a figure in a node; it follows the page's size and its light or dark colours. */
export async function chart(node, figure, config = {}) {
  const Plotly = await plotly();
  const buttons = matchMedia("(hover: hover)").matches ? "hover" : false;
  await Plotly.newPlot(node, figure.data, figure.layout, { displaylogo: false, displayModeBar: buttons, ...config });
  await Plotly.relayout(node, colours(node));
  new ResizeObserver(() => node.offsetWidth && Plotly.Plots.resize(node)).observe(node); // also when it comes into sight
  new MutationObserver(() => Plotly.relayout(node, colours(node))).observe(document.body, {
    attributeFilter: ["class"],
  });
  return Plotly;
}

/** What the horizontal axis is called that a choice stands for. */
export const titleOf = (axis) => AXES[axis];

const choices = kept(); // the same for all charts

function kept() {
  let found = null;
  try {
    found = JSON.parse(localStorage.getItem(KEPT));
  } catch {
    /* then nothing is kept */
  }
  const { axis, smoothing, log } = found ?? {};
  return {
    axis: axis in AXES ? axis : "step",
    smoothing: smoothing > 0 && smoothing <= 0.99 ? smoothing : 0,
    log: log === true,
  };
}

/**
 * A bar of choices above a chart: its horizontal axis, smoothing, and a logarithmic vertical axis. They are the same for
 * all charts of the page, and are kept. onchange() is called after each change while the chart is in sight; a chart that
 * comes into sight looks at the choices, which are given, by itself.
 */
export function controls(node, before, onchange) {
  const axis = make("select", {}, ...Object.keys(AXES).map((name) => make("option", { value: name }, name)));
  const smoothing = make("input", { type: "range", min: 0, max: 0.99, step: 0.01 });
  const weight = make("output");
  const log = make("input", { type: "checkbox" });
  const bar = {
    show() {
      Object.assign(axis, { value: choices.axis });
      Object.assign(smoothing, { value: choices.smoothing });
      Object.assign(log, { checked: choices.log });
      weight.textContent = choices.smoothing ? choices.smoothing.toFixed(2) : "off";
    },
    changed: () => inSight(node) && onchange(),
  };
  axis.onchange =
    log.onchange =
    smoothing.oninput =
      () => {
        Object.assign(choices, { axis: axis.value, smoothing: Number(smoothing.value), log: log.checked });
        localStorage.setItem(KEPT, JSON.stringify(choices));
        for (const each of bars) {
          each.show();
          each.changed();
        }
      };
  node.insertBefore(
    make(
      "div",
      { className: "live-controls" },
      make("label", {}, "Against ", axis),
      make("label", {}, "Smoothing ", smoothing, weight),
      make("label", {}, log, " Log scale"),
    ),
    before,
  );
  bars.add(bar);
  bar.show();
  return choices;
}

/** Where a value lies in a growing list, carried over to another list; beyond the ends: the other's end. */
export function carried(value, from, to) {
  const after = from.findIndex((each) => each >= value);
  if (after < 0) return to.at(-1);
  if (after === 0) return to[0];
  const share = (value - from[after - 1]) / (from[after] - from[after - 1]);
  return to[after - 1] + share * (to[after] - to[after - 1]);
}

/** Exponential moving average, corrected for its beginning; weight 0 leaves the values as they are. */
export function smoothed(values, weight) {
  if (!weight) return values;
  let sum = 0;
  let mass = 0;
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}

function colours(node) {
  const style = getComputedStyle(node);
  const text = style.getPropertyValue("--body-text-color").trim();
  const line = style.getPropertyValue("--border-color-primary").trim();
  const paper = style.getPropertyValue("--background-fill-primary").trim();
  const axes = {};
  for (const axis of Object.keys(node.layout).filter((name) => /^[xy]axis/.test(name))) {
    Object.assign(axes, { [`${axis}.gridcolor`]: line, [`${axis}.zerolinecolor`]: line, [`${axis}.linecolor`]: line });
  }
  return {
    "font.color": text,
    "font.family": style.fontFamily,
    "hoverlabel.bgcolor": paper,
    "hoverlabel.font.color": text,
    ...axes,
  };
}
