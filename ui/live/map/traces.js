// What lies on the map, as traces of its chart: test images, rings of the prior, and q over the exact posterior.

import { colourOf } from "./colours.js";

/** @import { Plane } from "../space/plane.js" */
/** @import { Description, PosteriorAndQ, Means, Trace } from "../shared/types.js" */

const SVG_POINTS = 2000; // without WebGL
const EXACT = "#10a37f";

/** @type {boolean | null} */
let gl = null;
function hasWebGL() {
  gl ??= Boolean(document.createElement("canvas").getContext("webgl"));
  return gl;
}

/**
 * The test images at the means of their q(z|x), one trace a label; faint where there is something to be seen behind the
 * dots, which WebGL draws over all else.
 *
 * @param {Means} means
 * @param {Plane} plane
 * @param {number} opacity
 * @returns {Trace[]}
 */
export function scatter(means, { axes, drawn }, opacity) {
  const count = hasWebGL() ? means.count : Math.min(means.count, SVG_POINTS);
  /** @type {number[][][]} */
  const places = Array.from({ length: Math.max(...means.labels) + 1 }, () => [[], []]);
  for (let i = 0; i < count; i += 1) {
    const n = Math.floor((i * means.count) / count); // evenly over all: they may be sorted by label
    const mu = means.mu.subarray(n * means.dims, (n + 1) * means.dims);
    axes.forEach((axis, k) => {
      let sum = 0;
      for (let j = 0; j < mu.length; j += 1) sum += axis[j] * mu[j];
      places[means.labels[n]][k].push(drawn(sum, k));
    });
  }
  const traces = places.map(([x, y], label) => ({
    type: hasWebGL() ? "scattergl" : "scatter",
    mode: "markers",
    name: String(label),
    x,
    y,
    marker: { size: 3.5, color: colourOf(label), opacity },
  }));
  return traces.filter(({ x }) => x.length > 0);
}

/**
 * An ellipse about a place of the plane, drawn as its scale wants it.
 *
 * @param {Plane} plane
 * @param {number[]} centre
 * @param {number[]} radii
 * @param {object} line
 * @returns {Trace}
 */
function ellipse({ drawn }, centre, radii, line) {
  const turns = Array.from({ length: 121 }, (_, n) => (2 * Math.PI * n) / 120);
  return {
    type: "scatter",
    mode: "lines",
    showlegend: false,
    line,
    x: turns.map((t) => drawn(centre[0] + radii[0] * Math.cos(t), 0)),
    y: turns.map((t) => drawn(centre[1] + radii[1] * Math.sin(t), 1)),
  };
}

/**
 * The prior at one, two and three σ.
 *
 * @param {Plane} plane
 * @param {Description} about
 */
export const rings = (plane, { prior_std: std }) =>
  [1, 2, 3].map((k) => ellipse(plane, plane.centres, [k * std, k * std], { color: "#d6478d", width: 2.5 }));

/**
 * q's ellipses at one and two σ over the contours of the exact posterior.
 *
 * @param {Plane} plane
 * @param {PosteriorAndQ} posterior
 * @returns {Trace[]}
 */
export function overlay(plane, { q, center, half, cells, density }) {
  const axes = center.map((middle) =>
    Array.from({ length: cells }, (_, n) => middle + half * ((2 * n) / (cells - 1) - 1)),
  );
  const contours = {
    type: "contour",
    showscale: false,
    showlegend: false,
    x: axes[0].map((value) => plane.drawn(value, 0)),
    y: axes[1].map((value) => plane.drawn(value, 1)),
    z: axes[1].map((_, row) => [...density.subarray((cells - 1 - row) * cells, (cells - row) * cells)]), // it has z1 upwards
    ncontours: 6,
    contours: { coloring: "lines" },
    line: { width: 1.5 },
    colorscale: [
      [0, EXACT],
      [1, EXACT],
    ],
  };
  const line = { color: "#e8710a", width: 2 };
  const radii = [1, 2].map((k) => q.std.map((value) => k * value));
  return [contours, ...radii.map((each) => ellipse(plane, q.mu, each, line))];
}

/**
 * Ticks of the k-th axis: at whole standard deviations of the prior where the scale is of probabilities.
 *
 * @param {Plane} plane
 * @param {number} k
 * @param {Description} about
 * @param {boolean} quantiles
 */
export function ticks({ drawn, centres }, k, { prior_std: std }, quantiles) {
  if (!quantiles) return { tickmode: "auto", tickvals: null, ticktext: null, fixedrange: false };
  const values = [-2, -1, -0.5, 0, 0.5, 1, 2].map((n) => centres[k] + n * std);
  return {
    tickmode: "array",
    tickvals: values.map((value) => drawn(value, k)),
    ticktext: values.map((value) => String(Number(value.toFixed(2))).replace("-", "−")),
    fixedrange: true,
  };
}
