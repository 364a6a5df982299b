// What of the gradient of the ELBO comes through z = μ + σ ⊙ ε to μ and σ, and one step that follows it (T17).

import { kl } from "../../space/gaussian.js";

/** @import { Slope } from "./slopes.js" */
/**
 * q and its held noise. slopes: of log p(x|z) at each draw, null as long as they are not known; isDetached: the
 * reconstruction's gradient stops at z.
 *
 * @typedef {{ mu: number[], std: number[], eps: number[][], slopes: Slope[] | null, isDetached: boolean }} State
 * @typedef {{ mu: number[], std: number[] }} Slopes2 nats per unit
 * @typedef {{ mean: number, std: number }} Prior of every dimension
 */

const STEPS = 80; // of a way
const RATE = 0.1; // Adam's, in μ and in log σ
const [KEEP, KEEP_SQUARE] = [0.7, 0.85]; // of its moments: a short way
const [LEAST, MOST] = [0.005, 3]; // of σ

/** The draws z = μ + σ ⊙ ε. @param {State} state */
export const drawsOf = ({ mu, std, eps }) => eps.map((each) => each.map((one, j) => mu[j] + std[j] * one));

/**
 * The gradient of the reconstruction with respect to μ and σ: the mean of what each draw passes on; nothing does where
 * z is detached. Null as long as the slopes are not known.
 *
 * @param {State} state
 * @returns {Slopes2 | null}
 */
export function ofReconstruction({ mu, eps, slopes, isDetached }) {
  if (isDetached) return { mu: mu.map(() => 0), std: mu.map(() => 0) };
  if (!slopes) return null;
  const mean = (/** @type {(slope: number[], eps: number[], j: number) => number} */ of) =>
    mu.map((_, j) => slopes.reduce((sum, { slope }, l) => sum + of(slope, eps[l], j), 0) / slopes.length);
  return { mu: mean((slope, _, j) => slope[j]), std: mean((slope, own, j) => slope[j] * own[j]) };
}

/**
 * The gradient of −KL(q‖p), in closed form.
 *
 * @param {State} state
 * @param {Prior} prior
 * @returns {Slopes2}
 */
export const ofKl = ({ mu, std }, prior) => ({
  mu: mu.map((one) => -(one - prior.mean) / prior.std ** 2),
  std: std.map((one) => 1 / one - one / prior.std ** 2),
});

/**
 * KL(q‖p), nats.
 *
 * @param {State} state
 * @param {Prior} prior
 */
export const klOf = ({ mu, std }, prior) =>
  mu.reduce((sum, one, j) => sum + kl({ mu: one, sigma: std[j] }, { mu: prior.mean, sigma: prior.std }), 0);

/** Follows the gradient uphill: Adam's steps in μ and log σ, which grow shorter. */
export class Ascent {
  #mean = [0, 0, 0, 0];
  #square = [0, 0, 0, 0];
  #steps = 0;

  /** Whether all steps were taken. */
  get isOver() {
    return this.#steps >= STEPS;
  }

  /**
   * Takes a step, if the slopes are known.
   *
   * @param {State} state is moved
   * @param {Prior} prior
   */
  step(state, prior) {
    const reconstruction = ofReconstruction(state);
    if (!reconstruction) return;
    const toKl = ofKl(state, prior);
    const to = [0, 1].map((j) => reconstruction.mu[j] + toKl.mu[j]);
    for (const j of [0, 1]) to.push((reconstruction.std[j] + toKl.std[j]) * state.std[j]);
    const share = 1 - (this.#steps / STEPS) ** 2;
    this.#steps += 1;
    const moves = to.map((gradient, k) => {
      this.#mean[k] = KEEP * this.#mean[k] + (1 - KEEP) * gradient;
      this.#square[k] = KEEP_SQUARE * this.#square[k] + (1 - KEEP_SQUARE) * gradient ** 2;
      const mean = this.#mean[k] / (1 - KEEP ** this.#steps);
      const square = this.#square[k] / (1 - KEEP_SQUARE ** this.#steps);
      return (RATE * share * mean) / (Math.sqrt(square) + 1e-8);
    });
    state.mu = state.mu.map((one, j) => one + moves[j]);
    state.std = state.std.map((one, j) => Math.max(LEAST, Math.min(MOST, one * Math.exp(moves[2 + j]))));
  }
}
