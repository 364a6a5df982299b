// Reading recorded trainings: the record of a step, held-out figures that come once an epoch, and the axis of values.

import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";

// What the modules of the page touch when they are loaded.
const page = { addEventListener() {} };
Object.assign(globalThis, { document: page, window: page });
const { points } = await import("../../ui/live/theory/parts/curves.js");
const { ticks } = await import("../../ui/live/theory/parts/plot.js");
const { placeOf, valueAt } = await import("../../ui/live/theory/parts/lesson.js");

/** @typedef {import("../../ui/live/shared/types.js").Lesson} Lesson */

const columns = { step: [1, 20, 40, 80], test_elbo: [null, 200, null, 150], train_kl: [0, 1, null, 3] };
const lesson = /** @type {Lesson} */ (/** @type {unknown} */ ({ columns }));

test("the record of a step is the last one up to it", () => {
  assert.deepEqual(
    [0, 1, 19, 20, 79, 80, 1000].map((step) => placeOf(lesson.columns.step, step)),
    [0, 0, 0, 1, 2, 3, 3],
  );
});

test("a held-out figure holds until the next one, and none is known before the first", () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((place) => valueAt(lesson, "test_elbo", place)),
    [null, 200, 200, 150],
  );
});

test("a curve leaves out what is not known", () => {
  const curve = { lesson, column: "train_kl", className: "", map: (/** @type {number} */ value) => 2 * value };
  assert.deepEqual(points(curve), [
    [1, 0],
    [20, 2],
    [80, 6],
  ]);
});

test("the axis has a few round values within its ends", () => {
  assert.deepEqual(ticks(0, 230), [50, 100, 150, 200]);
  assert.deepEqual(ticks(0, 84_000), [20_000, 40_000, 60_000, 80_000]);
  for (const [low, high] of [
    [-401, 76_000],
    [0, 0.01],
    [-500, -100],
    [0, 1e6],
  ]) {
    const found = ticks(low, high);
    assert.ok(found.length >= 1 && found.length <= 6, `${low} to ${high}: ${found}`);
    assert.ok(found.every((it) => it > low && it < high));
  }
});
