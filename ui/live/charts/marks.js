// Where settings were changed during a run: lines in the chart, and their names above it as far as there is room.

import { feed } from "../shared/feed.js";
import { SETTINGS } from "../shared/vocabulary.js";

/** @import { Change, Plot } from "../shared/types.js" */
/** @typedef {{ step: number, text: string, hover: string }} Named */

const MARK = "#9a6bd8";
const LETTER = 0.29; // half the width of a letter, in sizes of the text
const HINT = {
  text: "The curves of a training appear here.",
  xref: "paper",
  yref: "paper",
  x: 0.5,
  y: 0.5,
  showarrow: false,
};

/**
 * A vertical line.
 *
 * @param {number} at
 */
export const line = (at, dash = "dot", color = MARK) => ({
  type: "line",
  x0: at,
  x1: at,
  yref: "paper",
  y0: 0,
  y1: 1,
  layer: "below",
  line: { width: 1, dash, color },
});

/**
 * The names of changes, the last ones first; where there is no room for one, a small mark.
 *
 * @param {(Named & { x: number })[]} marks
 * @param {Plot} plot
 * @param {boolean} empty whether there is nothing in the chart yet
 */
export function annotations(marks, plot, empty) {
  const { xaxis, font, _size: size } = plot._fullLayout;
  /** @type {[number, number][]} */
  const taken = [];
  /** @type {object[]} */
  const found = [...marks].reverse().map(({ x, step, text, hover }) => {
    const half = 4 + LETTER * font.size * text.length;
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
      hovertext: `after step ${step.toLocaleString("en")}: ${hover}`,
      borderpad: 0,
    };
  });
  return empty ? [...found, HINT] : found;
}

/**
 * The changes in words: text for the chart, and hover with what was before, as far as an earlier change tells.
 *
 * @param {Change[]} changes
 * @returns {Named[]}
 */
export function changed(changes) {
  const before = { ...feed.about?.started };
  return changes.map(({ step, ...settings }) => {
    const parts = Object.entries(settings).map(([name, value]) => {
      const { short } = SETTINGS[name];
      const was = before[name];
      const now = `${short} = ${value}`;
      return { now, hover: was === undefined ? now : `${short} ${was} → ${value}` };
    });
    Object.assign(before, settings);
    return {
      step,
      text: parts.map(({ now }) => now).join(", "),
      hover: parts.map(({ hover }) => hover).join(", "),
    };
  });
}
