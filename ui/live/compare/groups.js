// Ticked runs as lines of the comparison: those that differ in the seed alone are one, as their mean with a band.

import { hasEnded } from "../shared/feed.js";
import { RUN_COLOURS } from "../shared/vocabulary.js";
import { named } from "./names.js";

/** @import { Row, Setting, Store } from "../shared/types.js" */
/**
 * A ticked run; a line of one run or of several; and a curve, aligned lists.
 *
 * @typedef {{ row: Row, store: Store }} Run
 * @typedef {{ runs: Run[], isMean: boolean, place: number, label: string }} Line place: which tells its colour
 * @typedef {{ step: number[], x: number[], y: number[] }} Curve
 */

const DASHES = ["solid", "dash", "dot"]; // with each of them the colours begin again

/**
 * How the line at a place is drawn.
 *
 * @param {number} place
 */
export const mark = (place) => ({
  color: RUN_COLOURS[place % RUN_COLOURS.length],
  dash: DASHES[Math.floor(place / RUN_COLOURS.length) % DASHES.length],
});

/**
 * Whether there are runs to take together.
 *
 * @param {Run[]} runs
 */
export const canGroup = (runs) => lines(runs, true).some(({ isMean }) => isMean);

/**
 * The lines of runs. Runs of the same settings have one colour; those that have ended are one line.
 *
 * @param {Run[]} runs
 * @param {boolean} isGrouped whether runs that differ in the seed alone are taken together
 * @returns {Line[]}
 */
export function lines(runs, isGrouped) {
  /** @type {Map<string, Run[]>} */
  const kinds = new Map();
  for (const run of runs) {
    const kind = isGrouped ? but(run) : run.row.run;
    kinds.set(kind, [...(kinds.get(kind) ?? []), run]);
  }
  const found = [...kinds.values()].flatMap((alike, place) => {
    const ended = alike.filter(({ store }) => hasEnded(store.state));
    const isMean = ended.length > 1;
    const singles = alike
      .filter((run) => !isMean || !ended.includes(run))
      .map((run) => ({ runs: [run], isMean: false }));
    return [...(isMean ? [{ runs: ended, isMean }] : []), ...singles].map((line) => ({ ...line, place }));
  });
  const labels = named(found.map(({ runs: [{ row }], isMean }) => (isMean ? seedless(row) : row)));
  return found.map((line, i) => {
    const label = line.isMean ? `${labels[i]} (mean of ${line.runs.length} seeds)` : labels[i];
    return { ...line, label };
  });
}

/**
 * What a run among those of a mean is called.
 *
 * @param {Line} line
 * @param {Row} row
 */
export const seedOf = ({ label }, { name, settings }) =>
  name || `${label.replace(/ \(mean .*/, "")}, seed ${settings.seed}`;

/**
 * All that tells a run from others, but its seed.
 *
 * @param {Run} run
 */
const but = ({ row, store }) => JSON.stringify([Object.entries(seedless(row).settings).sort(), store.changes]);

/**
 * A run's row without name and seed.
 *
 * @param {Row} row
 * @returns {Row}
 */
function seedless(row) {
  const { seed: _, ...settings } = row.settings;
  return { ...row, name: "", settings };
}

/**
 * The mean of curves over the steps that all of them cover, with the lowest and the highest of them; between its records
 * a curve is taken as straight.
 *
 * @param {Curve[]} curves
 * @returns {{ x: number[], mean: number[], low: number[], high: number[] }}
 */
export function meanOf(curves) {
  const [first] = curves;
  const from = Math.max(...curves.map(({ step }) => step[0] ?? Number.POSITIVE_INFINITY));
  const to = Math.min(...curves.map(({ step }) => step[step.length - 1] ?? Number.NEGATIVE_INFINITY));
  const steps = first.step.filter((step) => step >= from && step <= to);
  const xs = curves.map(({ step, x }) => between(step, x, steps));
  const ys = curves.map(({ step, y }) => between(step, y, steps));
  const each = (/** @type {number[][]} */ of, /** @type {(values: number[]) => number} */ act) =>
    steps.map((_, k) => act(of.map((values) => values[k])));
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    x: each(xs, mean),
    mean: each(ys, mean),
    low: each(ys, (values) => Math.min(...values)),
    high: each(ys, (values) => Math.max(...values)),
  };
}

/**
 * Values at other places, which lie among those that they are known at.
 *
 * @param {number[]} known ascending
 * @param {number[]} values
 * @param {number[]} at ascending
 */
function between(known, values, at) {
  let k = 0;
  return at.map((place) => {
    while (known[k] < place) k += 1;
    if (known[k] === place) return values[k];
    const share = (place - known[k - 1]) / (known[k] - known[k - 1]);
    return values[k - 1] + share * (values[k] - values[k - 1]);
  });
}
