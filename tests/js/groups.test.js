import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";

// What the modules of the page touch when they are loaded.
const page = { addEventListener() {} };
Object.assign(globalThis, { document: page, window: page });
const { canGroup, lines, mark, meanOf, seedOf } = await import("../../ui/live/compare/groups.js");

/** @typedef {import("../../ui/live/compare/groups.js").Run} Run */

let count = 0;

/**
 * A ticked run of which all else is left out.
 *
 * @param {Record<string, number>} settings
 * @param {string} [state]
 * @param {object[]} [changes]
 */
function run(settings, state = "finished", changes = []) {
  count += 1;
  const row = { run: `run ${count}`, name: "", title: "MNIST", created: `2026-01-01 10:00:0${count % 10}`, settings };
  return /** @type {Run} */ (/** @type {unknown} */ ({ row, store: { state, changes } }));
}

/** @param {ReturnType<typeof lines>} found */
const brief = (found) => found.map(({ label, isMean, place, runs }) => [label, isMean, place, runs.length]);

test("runs that differ in the seed alone are one line", () => {
  const runs = [run({ beta: 1, seed: 0 }), run({ beta: 4, seed: 0 }), run({ beta: 1, seed: 1 })];
  assert.deepEqual(brief(lines(runs, true)), [
    ["β = 1 (mean of 2 seeds)", true, 0, 2],
    ["β = 4, seed = 0", false, 1, 1],
  ]);
  assert.ok(canGroup(runs));
  assert.deepEqual(
    brief(lines(runs, false)).map(([, isMean, place]) => [isMean, place]),
    [
      [false, 0],
      [false, 1],
      [false, 2],
    ],
  );
});

test("data, changes during the run and all other settings tell runs apart", () => {
  const alike = { data: 1, beta: 1, seed: 0 };
  for (const other of [
    run({ ...alike, data: 2, seed: 1 }),
    run({ ...alike, seed: 1 }, "finished", [{ step: 3, beta: 1 }]),
    run({ data: 1, seed: 1 }),
  ])
    assert.ok(!canGroup([run(alike), other]));
  assert.ok(canGroup([run(alike), run({ seed: 1, beta: 1, data: 1 })])); // in whatever order they come
});

test("a run that still trains is a line of its own in the colour of its kind", () => {
  const runs = [run({ beta: 1, seed: 0 }), run({ beta: 1, seed: 1 }, "running"), run({ beta: 1, seed: 2 })];
  assert.deepEqual(
    lines(runs, true).map(({ isMean, place, runs: of }) => [isMean, place, of.map(({ row }) => row.settings.seed)]),
    [
      [true, 0, [0, 2]],
      [false, 0, [1]],
    ],
  );
});

test("a run of a mean is called by its seed", () => {
  const [line] = lines([run({ beta: 1, seed: 0 }), run({ beta: 1, seed: 7 }), run({ beta: 4, seed: 0 })], true);
  assert.equal(seedOf(line, line.runs[1].row), "β = 1, seed 7");
});

test("the mean of curves lies between their lowest and their highest", () => {
  const [a, b] = [
    { step: [10, 20, 30], x: [1, 2, 3], y: [5, 3, 1] },
    { step: [10, 20, 30], x: [1.5, 2.5, 3.5], y: [7, 3, 2] },
  ];
  assert.deepEqual(meanOf([a, b]), { x: [1.25, 2.25, 3.25], mean: [6, 3, 1.5], low: [5, 3, 1], high: [7, 3, 2] });
});

test("curves with other records meet where both are, on straight lines between records", () => {
  const found = meanOf([
    { step: [0, 10, 20, 40], x: [0, 10, 20, 40], y: [0, 0, 0, 0] },
    { step: [5, 15, 25], x: [5, 15, 25], y: [10, 20, 40] },
  ]);
  assert.deepEqual(found, { x: [10, 20], mean: [7.5, 15], low: [0, 0], high: [15, 30] });
  assert.deepEqual(
    meanOf([
      { step: [1], x: [1], y: [1] },
      { step: [], x: [], y: [] },
    ]).mean,
    [],
  );
});

test("where the colours are used up, dashes tell lines apart", () => {
  const marks = [0, 1, 2, 3, 4].map(mark);
  assert.equal(new Set(marks.map(({ color, dash }) => color + dash)).size, 5);
  assert.deepEqual(marks[2], { color: "#111111", dash: "dash" });
});
