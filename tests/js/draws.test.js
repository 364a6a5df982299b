import assert from "node:assert/strict";
import test from "node:test";
import { Draws } from "../../ui/live/theory/probability/draws.js";

/** @type {(actual: number, expected: number, within: number) => void} */
const near = (actual, expected, within) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not within ${within} of ${expected}`);

test("the running figures are those of the sums", () => {
  const logs = [-900, -880.5, -881, -1200, -879.9, -940];
  const draws = new Draws();
  for (const [n, log] of logs.entries()) {
    draws.add(log);
    const weights = logs.slice(0, n + 1).map((each) => Math.exp(each + 880));
    const sum = weights.reduce((a, b) => a + b);
    const squares = weights.reduce((a, b) => a + b * b, 0);
    near(draws.after(n + 1).log_px, Math.log(sum / (n + 1)) - 880, 1e-9);
    near(draws.after(n + 1).effective, sum ** 2 / squares, 1e-9);
  }
  near(draws.after(2).log_px, Math.log((Math.exp(-20) + Math.exp(-0.5)) / 2) - 880, 1e-9); // and stay what they were
});

test("equal weights are all of use, and one large one alone", () => {
  const equal = new Draws();
  for (let n = 0; n < 100; n += 1) equal.add(-5000);
  near(equal.after(100).effective, 100, 1e-9);
  near(equal.after(100).log_px, -5000, 1e-9);
  assert.equal(equal.carriers(100).length, 95);
  const one = new Draws();
  for (let n = 0; n < 100; n += 1) one.add(n === 30 ? -100 : -200);
  near(one.after(100).effective, 1, 1e-9);
  assert.deepEqual(one.carriers(100), [30]);
  assert.equal(one.carriers(20).length, 19);
});
