// The runs that are ticked for comparison, shared by the table and the charts of the Runs tab.

import { update } from "../shared/feed.js";

/** By run: its row of the table. */
export const ticked = new Map();

/** Ticks a run, or no longer. */
export function tick(run, yes, row) {
  const before = ticked.has(run);
  if (yes) ticked.set(run, row);
  else ticked.delete(run);
  if (before !== yes) update();
}
