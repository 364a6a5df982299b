// What a q is worth, where all of it is known in closed form: a likelihood that is Gaussian in z.

import assert from "node:assert/strict";
import { test } from "node:test";
import { kl } from "../../ui/live/space/gaussian.js";
import "./served/register.js";

const { atOnce, FINE, Plane, placed, QUICK, weigh } = await import("../../ui/live/q/weigh.js");

const PRIOR = { mu: 0.3, sigma: 1.2 };
const PIXELS = { at: [0.8, -0.4], spread: [0.5, 0.9] }; // log p(x|z) is that of N(at; z, spread²)
const Q = { mu: [0.9, -0.1], std: [0.4, 0.8] };

/** A plane with that likelihood. */
class Known extends Plane {
  constructor() {
    super(decoder());
    this.prior = PRIOR;
  }

  *logLikelihood(_, z) {
    yield;
    return Float64Array.from({ length: z.length / 2 }, (_, n) =>
      [0, 1].reduce((sum, j) => sum + normal(PIXELS.at[j], z[2 * n + j], PIXELS.spread[j]), 0),
    );
  }
}

const normal = (x, mu, sigma) => -0.5 * ((x - mu) / sigma) ** 2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI);

/** The file of a decoder without layers. */
function decoder() {
  const about = {
    layers: [],
    likelihood: "bernoulli",
    latent_dim: 2,
    prior_mean: 0,
    prior_std: 1,
    sigma: null,
    numbers: 0,
  };
  const text = new TextEncoder().encode(JSON.stringify(about).padEnd(200)); // halves begin at an even place
  const file = new Uint8Array(4 + text.length);
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(text, 4);
  return file.buffer;
}

const both = (of) => [0, 1].reduce((sum, j) => sum + of(j), 0);
const LOG_PX = both((j) => normal(PIXELS.at[j], PRIOR.mu, Math.hypot(PRIOR.sigma, PIXELS.spread[j])));
const posterior = (j) => {
  const precision = PRIOR.sigma ** -2 + PIXELS.spread[j] ** -2;
  return {
    mu: (PRIOR.mu / PRIOR.sigma ** 2 + PIXELS.at[j] / PIXELS.spread[j] ** 2) / precision,
    sigma: precision ** -0.5,
  };
};
const q = (j) => ({ mu: Q.mu[j], sigma: Q.std[j] });
const GAP = both((j) => kl(q(j), posterior(j)));
const close = (a, b, off) => assert.ok(Math.abs(a - b) < off, `${a} is not ${b}`);

for (const [name, rules, off] of [
  ["fine", FINE, 3e-3],
  ["quick", QUICK, 1e-9],
])
  test(`ELBO and gap of a Gaussian posterior by the ${name} rules`, () => {
    const found = atOnce(weigh(new Known(), new Float32Array(784), Q, LOG_PX, rules));
    close(
      found.kl,
      both((j) => kl(q(j), PRIOR)),
      1e-9,
    );
    const expected = (j) => normal(PIXELS.at[j], Q.mu[j], PIXELS.spread[j]) - 0.5 * (Q.std[j] / PIXELS.spread[j]) ** 2;
    close(found.reconstruction, both(expected), off);
    close(found.elbo, found.reconstruction - found.kl, 1e-12);
    close(found.elbo, LOG_PX - GAP, off);
    close(found.gap, GAP, off);
    close(found.misses, found.elbo + found.gap - LOG_PX, 1e-12);
    assert.equal(found.isFine, rules === FINE);
  });

test("without log p(x) there is an ELBO and no gap", () => {
  const found = atOnce(weigh(new Known(), new Float32Array(784), Q, null, QUICK));
  close(found.elbo, LOG_PX - GAP, 1e-9);
  assert.equal(found.gap, null);
});

test("under the posterior itself every weight is p(x)", () => {
  const exact = { mu: [posterior(0).mu, posterior(1).mu], std: [posterior(0).sigma, posterior(1).sigma] };
  const logs = atOnce(new Known().logWeights(new Float32Array(784), exact, [0, 0, 1.5, -2, -0.3, 0.7]));
  for (const log of logs) close(log, LOG_PX, 1e-9);
});

test("noise is placed along each axis by its own mean and width", () => {
  assert.deepEqual([...placed(Q, [1, 1, -2, 0])], [1.3, 0.7000000000000001, 0.09999999999999998, -0.1]);
});
