import assert from "node:assert/strict";
import test from "node:test";
import { stepOf } from "../../ui/live/theory/gaussian/density.js";
import { ceiling, logit, logOf, logsOf, squaredError, total } from "../../ui/live/theory/gaussian/pixels.js";
import { drawn, estimates, mean, ofBatch, spread } from "../../ui/live/theory/gaussian/pool.js";
import { byDraws, steps } from "../../ui/live/theory/gaussian/steps.js";

/** @type {(actual: number, expected: number, within?: number) => void} */
const near = (actual, expected, within = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not within ${within} of ${expected}`);

test("every step from the integral to the closed form is −KL", () => {
  // torch.distributions.kl_divergence(Normal(1, 0.6), Normal(-0.5, 1.5)) and against Normal(0, 1)
  const { eq40, ...others } = steps({ mu: 1, sigma: 0.6 }, { mu: -0.5, sigma: 1.5 });
  for (const value of Object.values(others)) near(value, -0.9962907318741551);
  assert.equal(Object.keys(others).length, 9);
  near(eq40, -0.6908256237659907);
});

test("draws of q give KL as the mean of the log ratio", () => {
  const [q, p] = [
    { mu: 1, sigma: 0.5 },
    { mu: 0, sigma: 1 },
  ];
  // at z = 1: log q − log p = log 2 + ½; at z = 1.5: log 2 − ½ + 1.125
  near(byDraws(q, p, [0, 1]), Math.LN2 + (0.5 + 0.625) / 2);
});

test("a pixel has the log-probability of torch.distributions", () => {
  near(logOf("bernoulli", 1, logit(0.8)), Math.log(0.8));
  near(logOf("bernoulli", 0, logit(0.8)), Math.log(0.2));
  near(logOf("gaussian", 0.3, 0.5, 0.1), -0.6163534402106272); // Normal(0.5, 0.1).log_prob(0.3)
  near(logOf("continuous_bernoulli", 0.3, logit(0.8)), -0.3560897203538617); // ContinuousBernoulli(0.8)
});

test("the parts of a Gaussian image add up", () => {
  const x = Float32Array.from({ length: 784 }, (_, i) => (i % 5 ? 0 : 1));
  const predicted = Float64Array.from({ length: 784 }, (_, i) => (i % 5 ? 0.1 : 0.7));
  const of = { x, mean: predicted, logits: predicted.map(logit) };
  near(squaredError(of), 157 * 0.09 + 627 * 0.01, 1e-4);
  near(total(logsOf("gaussian", of, 0.2)), ceiling(0.2) - squaredError(of) / (2 * 0.04), 1e-4);
  near(total(logsOf("bernoulli", of, 0.2)), 157 * Math.log(0.7) + 627 * Math.log(0.9), 1e-4);
  near(ceiling(1 / Math.sqrt(2 * Math.PI)), 0);
});

test("estimates use each draw once, and a batch has two sources of spread", () => {
  assert.deepEqual(estimates([1, 3, 5, 7, 9], 2), [2, 6]);
  near(mean([1, 2, 6]), 3);
  near(spread([1, 2, 6]), Math.sqrt(7));
  assert.ok(Number.isNaN(spread([1])));
  const { of_draws, of_images } = ofBatch({ elbos: [1, 2, 6], scatter: [3, 4, 5] }, 2, 4);
  near(of_draws, Math.sqrt(50 / 3 / 8));
  near(of_images, Math.sqrt(7 / 2));
});

test("a draw of q is scored as the decoder's likelihood has it", () => {
  const about = /** @type {any} */ ({ likelihood: "bernoulli", sigma: null });
  const decoder = {
    about,
    params: (/** @type {Float32Array} */ z) => Float32Array.of(z[0], -z[1]),
    decode: () => new Float32Array(),
  };
  const found = drawn(decoder, Float32Array.of(1, 1), { mu: [2, 0.5], std: [0, 0] });
  near(found, -Math.log1p(Math.exp(-2)) - Math.log1p(Math.exp(0.5)));
});

test("the axis has a few plain numbers at every size", () => {
  for (const top of [0.5, 0.8, 1, 1.5, 2, 5, 20, 80]) {
    const lines = top / stepOf(top);
    assert.ok(lines >= 1.5 && lines <= 7, `${lines} lines for ${top}`);
  }
});
