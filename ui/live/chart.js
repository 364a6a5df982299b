// Plotly, loaded from this server when the first chart is mounted; a chart lives as long as the page.

import { make } from "./page.js";

let library = null;

/** Plotly. */
export function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("library/plotly.min.js", import.meta.url).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("The chart's library could not be loaded."));
    document.head.append(script);
  });
  return library;
}

/** A chart of a figure in a node; it follows the page's size and its light or dark colours. */
export async function chart(node, figure) {
  const Plotly = await plotly();
  const buttons = matchMedia("(hover: hover)").matches ? "hover" : false;
  await Plotly.newPlot(node, figure.data, figure.layout, { responsive: true, displaylogo: false, displayModeBar: buttons });
  await Plotly.relayout(node, colours(node));
  new MutationObserver(() => Plotly.relayout(node, colours(node))).observe(document.body, { attributeFilter: ["class"] });
  return Plotly;
}

/**
 * A bar of choices above a chart: its horizontal axis, smoothing, and a logarithmic vertical axis. They are the same for
 * all charts of the browser, and are kept. onchange() is called after each change; the choices are read from what is given.
 */
export function controls(node, before, onchange) {
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  const choices = { axis: kept.axis ?? "step", smoothing: kept.smoothing ?? 0, log: kept.log ?? false };
  const axis = make("select", {}, ...["step", "epoch", "seconds"].map((name) => make("option", { value: name, selected: name === choices.axis }, name)));
  const smoothing = make("input", { type: "range", min: 0, max: 0.99, step: 0.01, value: choices.smoothing });
  const log = make("input", { type: "checkbox", checked: choices.log });
  const changed = () => {
    Object.assign(choices, { axis: axis.value, smoothing: Number(smoothing.value), log: log.checked });
    localStorage.setItem(KEPT, JSON.stringify(choices));
    onchange();
  };
  axis.onchange = log.onchange = smoothing.oninput = changed;
  node.insertBefore(make("div", { className: "live-controls" },
    make("label", {}, "Against ", axis), make("label", {}, "Smoothing ", smoothing), make("label", {}, log, " Log scale")), before);
  return choices;
}

const KEPT = "vae-chart";

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
  for (const axis of ["xaxis", "yaxis"]) {
    Object.assign(axes, { [`${axis}.gridcolor`]: line, [`${axis}.zerolinecolor`]: line, [`${axis}.linecolor`]: line });
  }
  return { "font.color": text, "font.family": style.fontFamily, "hoverlabel.bgcolor": paper, "hoverlabel.font.color": text, ...axes };
}
