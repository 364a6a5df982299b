import assert from "node:assert/strict";
import test from "node:test";
import { kl } from "../../ui/live/space/gaussian.js";
import { mean, standardError } from "../../ui/live/theory/kl/draws.js";
import { descent, fitted } from "../../ui/live/theory/kl/fit.js";
import {
  averages,
  crossings,
  divergence,
  gaussian,
  mixture,
  signedParts,
  uniform,
} from "../../ui/live/theory/kl/measure.js";
import "./served/register.js";

const { pointsOf } = await import("../../ui/live/theory/kl/game.js");

/** @type {(actual: number, expected: number, off?: number) => void} */
const near = (actual, expected, off = 1e-6) => assert.ok(Math.abs(actual - expected) < off, `${actual}, ${expected}`);

const GRID = [
  [0, 1],
  [1, 0.8],
  [-2.5, 0.4],
  [2.5, 1.6],
].map(([mu, sigma]) => ({ mu, sigma }));
/** @type {import("../../ui/live/theory/kl/pair.js").Bounds} */
const BOUNDS = { mu: [-2.5, 2.5], sigma: [0.5, 2.6] };
const [LEFT, RIGHT] = [-1.6, 1.6].map((mu) => ({ mu, sigma: 0.5 }));
const HUMPS = mixture(LEFT, RIGHT, 0.55);

test("by quadrature the KL of Gaussians, its signed parts and the mean slack are the closed form", () => {
  for (const q of GRID)
    for (const p of GRID) {
      near(divergence(gaussian(q), gaussian(p)), kl(q, p));
      const { above, below } = signedParts(q, p);
      near(above - below, kl(q, p));
      assert.ok(above >= 0 && below >= 0);
      const { t, log_t, slack } = averages(q, p);
      near(t, 1);
      near(log_t, -kl(q, p));
      near(slack, kl(q, p));
    }
});

test("two Gaussians are the same at two places, one or none", () => {
  assert.deepEqual(crossings({ mu: 0, sigma: 1 }, { mu: 2, sigma: 1 }), [1]);
  assert.deepEqual(crossings({ mu: 0, sigma: 1 }, { mu: 0, sigma: 1 }), []);
  const [low, high] = crossings({ mu: 0, sigma: 1 }, { mu: 0, sigma: 2 });
  near(high, Math.sqrt((8 / 3) * Math.log(2)));
  near(low, -high);
});

test("a Gaussian has an infinite KL from a box, however little lies outside, and the box a finite one", () => {
  const q = gaussian({ mu: 0, sigma: 0.05 });
  assert.equal(divergence(q, uniform(-2, 2)), Infinity);
  assert.ok(Number.isFinite(divergence(uniform(-2, 2), q)));
  near(divergence(uniform(-1, 1), uniform(-2, 2)), Math.log(2));
});

test("KL(p‖q) has the moments of p, and KL(q‖p) keeps to the hump on one side", () => {
  const from = { mu: 0.4, sigma: 1 };
  const covering = fitted((it) => divergence(HUMPS, gaussian(it)), from, BOUNDS, null).at(-1);
  const middle = 0.55 * -1.6 + 0.45 * 1.6;
  near(Number(covering?.mu), middle, 1e-4);
  near(Number(covering?.sigma), Math.sqrt(0.25 + 1.6 ** 2 - middle ** 2), 1e-4);
  for (const [hump, share] of /** @type {const} */ ([
    [LEFT, 0.55],
    [RIGHT, 0.45],
  ])) {
    const loss = (/** @type {typeof from} */ it) => divergence(gaussian(it), HUMPS);
    const way = fitted(loss, from, BOUNDS, hump);
    const last = way[way.length - 1];
    assert.deepEqual(way[0], from); // it can be seen from where it begins
    near(last.mu, hump.mu, 0.02);
    near(loss(last), -Math.log(share), 0.01);
  }
});

test("a descent never rises, and stays within its bounds", () => {
  const loss = (/** @type {{ mu: number, sigma: number }} */ it) => kl(it, { mu: 4, sigma: 0.1 });
  const way = descent(loss, { mu: -1, sigma: 2 }, BOUNDS);
  way.slice(1).forEach((it, n) => {
    assert.ok(loss(it) < loss(way[n]));
  });
  assert.deepEqual(way.at(-1), { mu: 2.5, sigma: 0.5 });
});

test("a single draw has no standard error", () => {
  assert.equal(standardError(Float64Array.of(3)), null);
  near(Number(standardError(Float64Array.of(1, 3, 5, 7))), Math.sqrt(20 / 3 / 4));
  near(mean(Float64Array.of(1, 3, 5, 7)), 4);
});

test("points are a hundred at the aim, and never below 0", () => {
  assert.deepEqual([1, 1.004, 0.9, 1.25, 4, 0].map(pointsOf), [100, 100, 90, 75, 0, 0]);
});
