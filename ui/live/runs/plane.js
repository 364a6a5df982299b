// The rate–distortion plane: each run at its newest held-out figures, over lines of equal ELBO.

/** @import { Columns, Trace } from "../shared/types.js" */

const LINES = 9; // of equal ELBO

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
 * The runs as points, lines of equal ELBO under them, and the ranges of the axes; null where there is no point.
 *
 * @param {{ columns: Columns, name: string, color: string }[]} runs
 * @returns {{ traces: Trace[], x: number[], y: number[] } | null}
 */
export function points(runs) {
  const found = runs.flatMap(({ columns, name, color }) => {
    const at = newestOf(columns);
    return at ? [{ ...at, name, color }] : [];
  });
  if (found.length === 0) return null;
  const rates = found.map(({ kl }) => kl);
  const distortions = found.map(({ reconstruction }) => reconstruction);
  const [left, right] = range(rates);
  const x = [Math.max(0, left), right];
  const y = range(distortions);
  return { traces: [...equal(x, y), ...found.map(dot)], x, y };
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
 * @param {{ kl: number, reconstruction: number, name: string, color: string }} run
 * @returns {Trace}
 */
function dot({ kl, reconstruction, name, color }) {
  const figures = `KL %{x:.2f}, −reconstruction %{y:.2f}<br>−ELBO ${(kl + reconstruction).toFixed(2)}`;
  return {
    type: "scatter",
    mode: "markers",
    name,
    x: [kl],
    y: [reconstruction],
    marker: { size: 12, color },
    hovertemplate: `${name}<br>${figures}<extra></extra>`,
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
