import assert from "node:assert/strict";
import test from "node:test";
import { density, normal, probability, quantile } from "../../ui/live/space/normal.js";

/** @type {(actual: number, expected: number, within: number) => void} */
const near = (actual, expected, within) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not within ${within} of ${expected}`);

test("the probabilities are those of the tables", () => {
  near(probability(0), 0.5, 1e-15);
  near(probability(1), 0.8413447460685429, 1e-14);
  near(probability(-1.959963984540054), 0.025, 1e-14);
  near(probability(-5), 2.866515718791933e-7, 1e-14);
  assert.deepEqual([probability(-9), probability(9)], [0, 1]);
});

test("the density is the slope of the probability", () => {
  for (const x of [-3, -0.7, 0, 1.3, 2.5]) {
    const step = 1e-4;
    near((probability(x + step) - probability(x - step)) / (2 * step), density(x), 1e-8);
  }
});

test("the quantile undoes the probability", () => {
  for (const x of [-4, -1, 0, 0.3, 2.7]) near(quantile(probability(x)), x, 1e-7);
});

test("draws have mean 0 and variance 1", () => {
  const draws = Array.from({ length: 40_000 }, normal);
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  near(mean, 0, 0.03);
  near(draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length, 1, 0.04);
});
