// The scale of bars that are sums of one another: all of them are seen on it, and it moves seldom.

import assert from "node:assert/strict";
import { test } from "node:test";
import { scaleAround } from "../../ui/live/theory/bound/lengths.js";

test("a scale holds its values and begins near them, on the side of 0", () => {
  const below = scaleAround(null, [-118.28, -125.59, -115.66]);
  assert.ok(below.low < -125.59 && below.high > -115.66 && below.high < -100);
  assert.equal(below.base, below.high);
  const above = scaleAround(null, [640, 655, 650]);
  assert.ok(above.low < 640 && above.low > 500 && above.high > 655);
  assert.equal(above.base, above.low);
});

test("it stays as long as all is well seen on it", () => {
  const first = scaleAround(null, [-118, -126, -115.7]);
  assert.equal(scaleAround(first, [-118.5, -125, -115.7]), first);
  const wider = scaleAround(first, [-118, -300, -115.7]);
  assert.ok(wider.low < -300);
  assert.notEqual(scaleAround(wider, [-118, -126, -115.7]), wider); // on which a gap would be lost
});

test("a total that comes later has a length", () => {
  const first = scaleAround(null, [-118.28, -125.59, null]);
  const { high, low } = scaleAround(first, [-118.28, -125.59, -115.66]);
  assert.ok((high + 115.66) / (high - low) > 0.05);
});

test("what is not known or not finite makes no scale", () => {
  const scale = scaleAround(null, [null, Number.NaN, -Infinity]);
  assert.ok(Number.isFinite(scale.low) && Number.isFinite(scale.high));
  assert.equal(scaleAround(scale, [null]), scale);
});
