import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";

const nothing = { append() {}, style: {}, classList: {} };
const page = { addEventListener() {}, createElement: () => nothing };
Object.assign(globalThis, { document: page, window: page });
const { best, last } = await import("../../ui/live/compare/differ.js");

/** @param {(number | null)[]} losses */
const columns = (losses) => ({ step: losses.map((_, i) => i), seconds: [], test_elbo: losses });

test("the best and the last of a loss that is not known at each record", () => {
  const some = columns([null, 105, null, 99.5, 101, null]);
  assert.deepEqual([best(some), last(some)], [3, 4]);
  const negative = columns([-1, -20, null, -20]); // of a density
  assert.deepEqual([best(negative), last(negative)], [1, 3]);
  assert.deepEqual(
    [best(columns([null])), last(columns([null])), best(columns([])), last(columns([]))],
    [-1, -1, -1, -1],
  );
});
