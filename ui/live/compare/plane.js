// The rate–distortion plane: each run at its newest held-out figures, over lines of equal ELBO.

import { mark, seedOf } from "./groups.js";

/**
 * @import { Columns, Plot, Trace } from "../shared/types.js"
 * @import { Line } from "./groups.js"
 */
/**
 * run: which a press opens, "" if none.
 *
 * @typedef {{ kl: number, reconstruction: number, name: string, color: string, size: number, run: string }} Point
 */

const LINES = 9; // of equal ELBO
const [ONE, SINGLE, MEAN] = [12, 7, 15]; // px: a run, one of those with a mean, and the mean

/**
 * The last held-out figures; null before there are any.
 *
 * @param {Columns} columns
 */
export function newestOf(columns) {
  const i = columns.test_elbo.findLastIndex((value) => value !== null);
  return i < 0 ? null : { kl: Number(columns.test_kl[i]), reconstruction: Number(columns.test_reconstruction[i]) };
}

/**
 * The runs of lines as points, means among them, lines of equal ELBO under them, and the ranges of the axes; null where
 * there is no point.
 *
 * @param {Line[]} lines
 * @returns {{ traces: Trace[], x: number[], y: number[] } | null}
 */
export function points(lines) {
  const found = lines.flatMap(ofLine);
  if (found.length === 0) return null;
  const rates = found.map(({ kl }) => kl);
  const distortions = found.map(({ reconstruction }) => reconstruction);
  const [left, right] = range(rates);
  const x = [Math.max(0, left), right];
  const y = range(distortions);
  return { traces: [...equal(x, y), ...found.map(dot)], x, y };
}

/**
 * @param {Line} line
 * @returns {Point[]}
 */
function ofLine(line) {
  const { color } = mark(line.place);
  const size = line.isMean ? SINGLE : ONE;
  const singles = line.runs.flatMap(({ row, store }) => {
    const at = newestOf(store.columns);
    return at ? [{ ...at, name: line.isMean ? seedOf(line, row) : line.label, color, size, run: row.run }] : [];
  });
  if (!line.isMean || singles.length === 0) return singles;
  const mean = (/** @type {"kl" | "reconstruction"} */ term) =>
    singles.reduce((sum, single) => sum + single[term], 0) / singles.length;
  const at = { kl: mean("kl"), reconstruction: mean("reconstruction") };
  return [...singles, { ...at, name: line.label, color, size: MEAN, run: "" }];
}

/**
 * Makes the points of a plane open their runs, by a press or by Enter.
 *
 * @param {Plot} plot
 * @param {(run: string) => void} open
 */
export function opening(plot, open) {
  const runOf = (/** @type {Trace | undefined} */ trace) =>
    /** @type {string[] | undefined} */ (trace?.customdata)?.[0];
  plot.on("plotly_click", ({ points: [point] }) => {
    const run = runOf(/** @type {{ data: Trace }} */ (point).data);
    if (run) open(run);
  });
  plot.on("plotly_afterplot", () => {
    plot.querySelectorAll(".scatterlayer .trace").forEach((node, i) => {
      const trace = plot.data[i];
      const point = node.querySelector(".point");
      const run = runOf(trace);
      if (!(point instanceof SVGElement) || !run) return;
      point.setAttribute("role", "button");
      point.setAttribute("tabindex", "0");
      point.setAttribute("aria-label", `Open ${trace.name}`);
      point.onkeydown = ({ key }) => key === "Enter" && open(run);
    });
  });
}

/**
 * A range about values, with a margin.
 *
 * @param {number[]} values
 */
function range(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max(1, 0.15 * (high - low), 0.02 * high);
  return [low - margin, high + margin];
}

/**
 * @param {Point} point
 * @returns {Trace}
 */
function dot({ kl, reconstruction, name, color, size, run }) {
  const figures = `KL %{x:.2f}, −reconstruction %{y:.2f}<br>−ELBO ${(kl + reconstruction).toFixed(2)}`;
  return {
    type: "scatter",
    mode: "markers",
    name,
    x: [kl],
    y: [reconstruction],
    customdata: run ? [run] : undefined,
    marker: { size, color, symbol: run ? "circle" : "diamond" },
    hovertemplate: `${name}<br>${figures}${run ? "<br>press: open it" : ""}<extra></extra>`,
  };
}

/**
 * Lines of equal ELBO through a window.
 *
 * @param {number[]} x
 * @param {number[]} y
 * @returns {Trace[]}
 */
function equal(x, y) {
  const [low, high] = [x[0] + y[0], x[1] + y[1]];
  const losses = Array.from({ length: LINES }, (_, i) => low + ((i + 1) * (high - low)) / (LINES + 1));
  return losses.map((loss) => ({
    type: "scatter",
    mode: "lines",
    x,
    y: x.map((rate) => loss - rate),
    line: { dash: "dot", width: 1, color: "#8a8f98" },
    hovertemplate: `−ELBO ${loss.toFixed(1)}<extra></extra>`,
  }));
}
