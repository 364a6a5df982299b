import assert from "node:assert/strict";
import test from "node:test";
import { nice, scale, sum, widened } from "../../ui/live/meter/scale.js";

test("a scale begins at 0 where that is near", () => {
  assert.deepEqual(scale([-70, 8, -78, -75]), { low: -80, high: 8, base: 0 });
  assert.deepEqual(scale([-3, -1]), { low: -3, high: 0, base: 0 });
});

test("where 0 is too far off, a scale of negative numbers goes on to the right", () => {
  assert.deepEqual(scale([-224.1, -228.8, -228.1]), { low: -230.4, high: -222, base: -222 });
});

test("where 0 is too far off, a scale of positive numbers goes on to the left", () => {
  const { low, high, base } = scale([1200, 1210]);
  assert.ok(low > 0 && low < 1200 && high > 1210 && base === low);
});

test("a scale gets wider only if it must, and keeps where its totals begin", () => {
  const last = { low: -120, high: -111, base: -111 };
  assert.equal(widened(last, [-118, -112, null]), last);
  assert.deepEqual(widened(last, [-108.5]), { low: -120, high: -108, base: -108 });
  assert.deepEqual(widened({ low: -120, high: 0, base: 0 }, [-121]), { low: -150, high: 0, base: 0 });
});

test("what is not known has no place on a scale", () => {
  assert.deepEqual(scale([null, -3, null]), scale([-3]));
  assert.deepEqual(scale([null]), { low: -1, high: 0, base: 0 });
});

test("the next plain number is the least one that is not below", () => {
  assert.deepEqual([0.031, 1, 1.1, 1.3, 7, 8.1, 99, 1200].map(nice), [0.04, 1, 1.2, 1.5, 8, 10, 100, 1200]);
});

test("sums of what is not finite are not finite", () => {
  assert.equal(sum(1.5, 2), 3.5);
  assert.equal(sum(1.5, 2, -1), -0.5);
  assert.equal(sum(null, 2), null);
});
