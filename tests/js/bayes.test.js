import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";
import { bayes, exactly } from "../../ui/live/theory/probability/line.js";

const { significant } = await import("../../ui/live/theory/parts/significant.js");

/** @type {(actual: number, expected: number, within: number) => void} */
const near = (actual, expected, within) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not within ${within} of ${expected}`);

/** @type {(x: number, mean: number, std: number) => number} */
const normal = (x, mean, std) => Math.exp(-0.5 * ((x - mean) / std) ** 2) / (std * Math.sqrt(2 * Math.PI));

test("evidence, posterior and areas by quadrature are those in closed form", () => {
  for (const w of [0.5, 1, 2])
    for (const noise of [0.3, 0.8, 2])
      for (const x of [-7, -1, 0, 2.4]) {
        const { evidence, posterior, areas } = bayes({ w, x, noise });
        const exact = normal(x, 0, Math.hypot(w, noise));
        near(evidence / exact, 1, 1e-6);
        const { mu, sigma } = exactly({ w, x, noise });
        for (const z of [-2, 0, 0.7]) near(posterior(z), normal(z, mu, sigma), 1e-6);
        near(areas.prior, 1, 1e-6);
        near(areas.likelihood, 1 / w, 1e-6);
        near(areas.posterior, 1, 1e-6);
      }
});

test("densities are written with three digits, and small ones with a power of ten", () => {
  assert.deepEqual([0.0995609, 1, 12.34, -3.456, 1234.5, 0, 4.004e-152, 0.00049].map(significant), [
    "0.0996",
    "1.00",
    "12.3",
    "−3.46",
    "1235",
    "0",
    "4.0 · 10⁻¹⁵²",
    "4.9 · 10⁻⁴",
  ]);
});
