// The log of a mean of weights against the mean of their logs, over groups of draws.

import assert from "node:assert/strict";
import { test } from "node:test";
import { boundOf, counts, logMeanExp, meanOf, ordersOf, shuffled } from "../../ui/live/theory/bound/weights.js";

/** Seeded numbers in [0, 1): those of Park and Miller. */
function seeded(seed = 1) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const random = seeded();
const LOGS = Float64Array.from({ length: 1024 }, () => -1000 - 30 * random() ** 2);

test("the log of a mean is taken without overflow, and never below the mean of the logs", () => {
  assert.ok(Math.abs(logMeanExp([-1000, -1000 + Math.log(3)]) - (-1000 + Math.log(2))) < 1e-12);
  assert.equal(logMeanExp([-Infinity, -Infinity]), -Infinity);
  for (let n = 0; n + 5 <= LOGS.length; n += 5)
    assert.ok(logMeanExp(LOGS.subarray(n, n + 5)) >= meanOf(LOGS.subarray(n, n + 5)));
});

test("another order has the same draws", () => {
  const mixed = shuffled(LOGS, seeded(3));
  assert.notDeepEqual(mixed, LOGS);
  assert.deepEqual(mixed.toSorted(), LOGS.toSorted());
});

test("the bound rises from the mean of the logs to the log of the mean as groups double", () => {
  const orders = ordersOf(LOGS, seeded(5));
  const bounds = Array.from({ length: 11 }, (_, n) => boundOf(orders, 2 ** n));
  assert.ok(Math.abs(bounds[0].average - meanOf(LOGS)) < 1e-9);
  assert.ok(Math.abs(bounds[10].average - logMeanExp(LOGS)) < 1e-9);
  for (let n = 1; n < bounds.length; n += 1) assert.ok(bounds[n].average > bounds[n - 1].average);
  for (const { average, low, high } of bounds) assert.ok(low - 1e-9 <= average && average <= high + 1e-9);
});

test("the average of groups is near the expectation, which two values have in closed form", () => {
  const two = Float64Array.from({ length: 4096 }, (_, n) => (n % 2 ? 0 : Math.log(3)));
  const expected = (Math.log(1) + 2 * Math.log(2) + Math.log(3)) / 4; // of two draws
  assert.ok(Math.abs(boundOf(ordersOf(two, seeded(7)), 2).average - expected) < 0.02);
});

test("every value is in a bin", () => {
  assert.deepEqual(counts([-9, 0, 0.5, 0.99, 1, 3], 0, 1, 2), [2, 4]);
});
