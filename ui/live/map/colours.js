// The colours of labels.

const FIRST = [
  "#4e79a7",
  "#f28e2b",
  "#e15759",
  "#76b7b2",
  "#59a14f",
  "#edc948",
  "#b07aa1",
  "#ff9da7",
  "#9c755f",
  "#bab0ac",
];
const TURN = 137.508; // degrees: the golden angle, so that the hues of neighbouring labels lie far apart
const LIGHTNESS = [38, 55, 72]; // percent

/**
 * The colour of a label; no two have the same.
 *
 * @param {number} label
 */
export function colourOf(label) {
  const more = label - FIRST.length;
  if (more < 0) return FIRST[label];
  return `hsl(${Math.round(more * TURN) % 360}, 65%, ${LIGHTNESS[more % LIGHTNESS.length]}%)`;
}
