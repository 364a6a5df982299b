// The runs that are ticked for comparison, shared by the table and the charts of the Runs tab.

import { update } from "../shared/feed.js";

/** @import { Row } from "../shared/types.js" */

/**
 * By run: its row of the table.
 *
 * @type {Map<string, Row>}
 */
export const ticked = new Map();

/**
 * Ticks a run, or brings its row up to date.
 *
 * @param {Row} row
 */
export function tick(row) {
  const before = ticked.has(row.run);
  ticked.set(row.run, row);
  if (!before) update();
}

/**
 * Ticks these runs, and no other.
 *
 * @param {Row[]} rows
 */
export function tickOnly(rows) {
  ticked.clear();
  for (const row of rows) ticked.set(row.run, row);
  update();
}

/**
 * Takes a run's tick away.
 *
 * @param {string} run
 */
export function untick(run) {
  if (ticked.delete(run)) update();
}
