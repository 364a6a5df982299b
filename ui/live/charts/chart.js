// Plotly, loaded from this server when the first chart is mounted; a chart lives as long as the page.

import { failed, fileOf } from "../shared/ask.js";
import { inSight } from "../shared/feed.js";
import { make } from "../shared/page.js";
import { word } from "../words/word.js";

/** @import { Figure, Plot, Plotly } from "../shared/types.js" */

const KEPT = "vae-chart"; // in the browser's local storage
/** @type {Record<string, string>} */
const AXES = { step: "step", epoch: "epoch", seconds: "seconds of training" };

/** @type {Promise<Plotly> | null} */
let library = null;
/** @type {Set<{ show: () => void, changed: () => void }>} */
const bars = new Set(); // of choices, one above each chart that has them

/**
 * Plotly.
 *
 * @returns {Promise<Plotly>}
 */
export function plotly() {
  library ??= loaded();
  return library;
}

/**
 * Loads Plotly; where it cannot be had, the error's cause is why, in words.
 *
 * @returns {Promise<Plotly>}
 */
async function loaded() {
  // Beside a <base> Plotly names its clip paths by the page's address, which follows tab and model: curves would then
  // go on over the legend. Gradio's <base href="./"> is where the page is, so that nothing is missed without it.
  document.querySelector("base")?.remove();
  const address = new URL("../library/plotly.min.js", import.meta.url);
  await new Promise((ended) => {
    document.head.append(make("script", { src: address.href, onload: ended, onerror: ended }));
  });
  if (window.Plotly) return window.Plotly;
  const answer = await fileOf(address); // a browser does not say why a script fails
  const why = failed(answer) ? answer.error : "This browser does not run it.";
  throw new Error("Plotly is not there.", { cause: `The charts' library could not be loaded. ${why}` });
}

/**
 * A chart of a figure in a node; it follows the page's size, and its light or dark colours and size of text.
 *
 * @param {HTMLElement} node
 * @param {Figure} figure
 * @param {object} [config] of Plotly
 * @returns {Promise<{ Plotly: Plotly, plot: Plot }>} plot: the node, with what Plotly adds to it
 */
export async function chart(node, figure, config = {}) {
  const Plotly = await plotly();
  const buttons = matchMedia("(hover: hover)").matches ? "hover" : false;
  const shown = { displaylogo: false, displayModeBar: buttons, ...config };
  const plot = await Plotly.newPlot(node, figure.data, figure.layout, shown);
  const paint = async () => {
    await Plotly.relayout(plot, colours(plot));
    await paintTerms(Plotly, plot);
  };
  await paint();
  const size = new ResizeObserver(() => node.offsetWidth && Plotly.Plots.resize(plot));
  size.observe(node); // which also tells when it comes into sight
  const dark = new MutationObserver(paint);
  dark.observe(document.body, { attributeFilter: ["class"] });
  return { Plotly, plot };
}

/**
 * What the horizontal axis is called that a choice stands for.
 *
 * @param {string} axis
 */
export const titleOf = (axis) => AXES[axis];

/**
 * smoothing: weight of the moving average, 0 for none; log: whether the vertical axis is logarithmic.
 *
 * @typedef {{ axis: string, smoothing: number, log: boolean }} Choices
 */

const choices = kept(); // the same for all charts

/** @returns {Choices} */
function kept() {
  let found = null;
  try {
    found = JSON.parse(localStorage.getItem(KEPT) ?? "null");
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
 * A bar of choices above a chart: its horizontal axis, smoothing, and a logarithmic vertical axis. They are the same
 * for all charts of the page, and are kept.
 *
 * @param {HTMLElement} node
 * @param {HTMLElement} before the chart
 * @param {() => void} onchange called after each change while the chart is in sight; a chart that comes into sight
 *   looks at the choices by itself
 * @returns {{ choices: Choices, node: HTMLElement }}
 */
export function controls(node, before, onchange) {
  const axis = make("select", {}, ...Object.keys(AXES).map((name) => make("option", { value: name }, name)));
  const smoothing = make("input", { type: "range", min: 0, max: 0.99, step: 0.01 });
  const weight = make("output");
  const log = make("input", { type: "checkbox" });
  const bar = {
    show() {
      axis.value = choices.axis;
      smoothing.value = String(choices.smoothing);
      log.checked = choices.log;
      weight.textContent = choices.smoothing ? choices.smoothing.toFixed(2) : "none";
    },
    changed: () => inSight(node) && onchange(),
  };
  const choose = () => {
    Object.assign(choices, { axis: axis.value, smoothing: Number(smoothing.value), log: log.checked });
    localStorage.setItem(KEPT, JSON.stringify(choices));
    for (const each of bars) {
      each.show();
      each.changed();
    }
  };
  axis.onchange = choose;
  log.onchange = choose;
  smoothing.oninput = choose;
  const line = make(
    "div",
    { className: "live-controls" },
    make("label", {}, "x-axis ", axis),
    make("label", {}, "Smoothing ", smoothing, weight),
    make("label", {}, log, " Log scale"),
    make("span", {}, "nats per image", word("nat")),
  );
  node.insertBefore(line, before);
  bars.add(bar);
  bar.show();
  return { choices, node: line };
}

/**
 * Where a value lies in a growing list, carried over to another list; beyond the ends: the other's end.
 *
 * @param {number} value
 * @param {number[]} from
 * @param {number[]} to
 */
export function carried(value, from, to) {
  const after = from.findIndex((each) => each >= value);
  if (after < 0) return to[to.length - 1];
  if (after === 0) return to[0];
  const share = (value - from[after - 1]) / (from[after] - from[after - 1]);
  return to[after - 1] + share * (to[after] - to[after - 1]);
}

/**
 * Exponential moving average, corrected for its beginning; weight 0 leaves the values as they are.
 *
 * @param {number[]} values
 * @param {number} weight
 */
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

/**
 * Gives the curves of a term its colour, which differs in light and dark.
 *
 * @param {Plotly} Plotly
 * @param {Plot} plot
 */
async function paintTerms(Plotly, plot) {
  const style = getComputedStyle(plot);
  const found = plot.data.map(({ meta = "" }) => {
    if (meta.endsWith("watched_elbo")) return "gap"; // the area's upper edge
    return /watched_(log_px|exact)$/.test(meta) ? "evidence" : /(reconstruction|kl|elbo)$/.exec(meta)?.[1];
  });
  const which = found.flatMap((name, i) => (name ? [i] : []));
  const colour = which.map((i) => style.getPropertyValue(`--${found[i]}`).trim());
  if (which.length) await Plotly.restyle(plot, { "line.color": colour, "marker.color": colour }, which);
}

/** @param {Plot} node */
function colours(node) {
  const style = getComputedStyle(node);
  const text = style.getPropertyValue("--body-text-color").trim();
  const line = style.getPropertyValue("--border-color-primary").trim();
  const paper = style.getPropertyValue("--background-fill-primary").trim();
  const size = Number.parseFloat(style.getPropertyValue("--text-sm")); // px; another one in Present
  const axes = {};
  for (const axis of Object.keys(node.layout).filter((name) => /^[xy]axis/.test(name))) {
    Object.assign(axes, { [`${axis}.gridcolor`]: line, [`${axis}.zerolinecolor`]: line, [`${axis}.linecolor`]: line });
    Object.assign(axes, { [`${axis}.title.font.size`]: size });
  }
  return {
    "font.color": text,
    "font.size": size,
    "font.family": style.fontFamily,
    "hoverlabel.bgcolor": paper,
    "hoverlabel.font.color": text,
    "hoverlabel.font.size": size,
    ...axes,
  };
}
