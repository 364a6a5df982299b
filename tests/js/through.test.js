import assert from "node:assert/strict";
import test from "node:test";
import { Ascent, drawsOf, klOf, ofKl, ofReconstruction } from "../../ui/live/theory/gradient/through.js";

/** @import { State } from "../../ui/live/theory/gradient/through.js" */

const EPS = [
  [0.5, -1],
  [-1.5, 0.3],
  [0.2, 0.8],
];
const PRIOR = { mean: 0.3, std: 1.4 };
const TOP = [0.7, -0.4]; // of a reconstruction −Σ 3 (z − top)², whose slope is −6 (z − top)

/** @param {{ mu: number[], std: number[] }} q @returns {State} */
function stateOf({ mu, std }) {
  const state = { mu, std, eps: EPS, slopes: null, isDetached: false };
  const slopes = drawsOf(state).map((z) => ({ log_px: value(z), slope: z.map((one, j) => -6 * (one - TOP[j])) }));
  return { ...state, slopes };
}

/** @param {number[]} z */
const value = (z) => z.reduce((sum, one, j) => sum - 3 * (one - TOP[j]) ** 2, 0);

/** @param {State} state */
const reconstruction = (state) => drawsOf(state).reduce((sum, z) => sum + value(z), 0) / EPS.length;

/**
 * A derivative by differences.
 *
 * @param {(state: State) => number} of
 * @param {State} state
 * @param {"mu" | "std"} name
 * @param {number} j
 */
function by(of, state, name, j) {
  const [high, low] = [1e-5, -1e-5].map((h) =>
    of({ ...state, [name]: state[name].map((one, k) => (k === j ? one + h : one)) }),
  );
  return (high - low) / 2e-5;
}

/** @type {(one: number, other: number, off?: number) => void} */
const near = (one, other, off = 1e-6) => assert.ok(Math.abs(one - other) < off, `${one} is not ${other}`);

test("a draw is μ + σ ε, and what passes through it is the derivative with the noise held", () => {
  const state = stateOf({ mu: [1, -2], std: [0.5, 0.1] });
  assert.deepEqual(drawsOf(state)[0], [1.25, -2.1]);
  const found = ofReconstruction(state);
  for (const j of [0, 1])
    for (const name of /** @type {const} */ (["mu", "std"]))
      near(found?.[name][j] ?? Number.NaN, by(reconstruction, state, name, j));
});

test("the gradient of −KL is that of the closed form", () => {
  const state = stateOf({ mu: [1, -2], std: [0.5, 0.1] });
  for (const j of [0, 1])
    for (const name of /** @type {const} */ (["mu", "std"]))
      near(ofKl(state, PRIOR)[name][j], -by((it) => klOf(it, PRIOR), state, name, j), 1e-5);
  near(klOf(stateOf({ mu: [PRIOR.mean, PRIOR.mean], std: [PRIOR.std, PRIOR.std] }), PRIOR), 0);
});

test("detached, nothing passes, and the way ends at the prior", () => {
  const state = { ...stateOf({ mu: [1, -2], std: [0.05, 0.1] }), slopes: null, isDetached: true };
  assert.deepEqual(ofReconstruction(state), { mu: [0, 0], std: [0, 0] });
  const ascent = new Ascent();
  while (!ascent.isOver) ascent.step(state, PRIOR);
  assert.ok(klOf(state, PRIOR) < 0.01, String(klOf(state, PRIOR)));
});

test("the way goes uphill to where the gradients balance", () => {
  let state = stateOf({ mu: [2, 2], std: [0.9, 0.05] });
  const ascent = new Ascent();
  const elbo = (/** @type {State} */ it) => reconstruction(it) - klOf(it, PRIOR);
  const before = elbo(state);
  while (!ascent.isOver) {
    ascent.step(state, PRIOR);
    state = stateOf(state);
  }
  assert.ok(elbo(state) > before + 5);
  const [up, back] = [ofReconstruction(state), ofKl(state, PRIOR)];
  for (const j of [0, 1]) near((up?.mu[j] ?? 9) + back.mu[j], 0, 0.3);
});

test("where the slopes are not known, nothing is said of them, and no step is taken", () => {
  const state = { ...stateOf({ mu: [1, -2], std: [0.5, 0.1] }), slopes: null };
  assert.equal(ofReconstruction(state), null);
  new Ascent().step(state, PRIOR);
  assert.deepEqual(state.mu, [1, -2]);
});
