import assert from "node:assert/strict";
import test from "node:test";
import { circle, line } from "../../ui/live/latents/ways.js";

const A = [1.5, -0.2, 0.4];
const B = [-0.3, 2.2, 1];
const MEAN = 0.3;

/** @type {(z: ArrayLike<number>) => number[]} */
const centred = (z) => Array.from(z, (value) => value - MEAN);
/** @type {(steps: number[]) => void} */
const even = (steps) => assert.ok(Math.max(...steps) - Math.min(...steps) < 1e-5, String(steps));
/** @type {(values: number[]) => number[]} */
const differences = (values) => values.slice(1).map((value, i) => value - values[i]);

test("both ways lead from a to b", () => {
  for (const way of [line, circle]) {
    const points = way(A, B, 7, MEAN);
    assert.equal(points.length, 7);
    [A, B].forEach((end, k) => {
      points[6 * k].forEach((value, j) => {
        assert.ok(Math.abs(value - end[j]) < 1e-6);
      });
    });
  }
});

test("the line goes in equal steps", () => {
  const points = line(A, B, 9);
  A.forEach((_, j) => {
    even(differences(points.map((z) => z[j])));
  });
});

test("the great circle grows and turns evenly", () => {
  const points = circle(A, B, 9, MEAN).map(centred);
  const radii = points.map((z) => Math.hypot(...z));
  even(differences(radii));
  const angles = points.slice(1).map((z, i) => {
    const cosine = z.reduce((sum, value, j) => sum + value * points[i][j], 0) / (radii[i] * radii[i + 1]);
    return Math.acos(cosine);
  });
  even(angles);
});

test("on one ray, through the middle and from it the great circle is the line", () => {
  const pairs = [
    [
      [1, 1],
      [2, 2],
    ],
    [
      [1, 0],
      [-1, 0],
    ],
    [
      [0, 0],
      [1, 0],
    ],
  ];
  for (const [a, b] of pairs) assert.deepEqual(circle(a, b, 5), line(a, b, 5));
});
