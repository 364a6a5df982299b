// Densities over one axis, and what is integrated over them by quadrature: KL, and the two signed parts of its
// integrand. vae_core/densities.py is the reference.

import { logDensity } from "../../space/gaussian.js";

/** @import { Gaussian } from "../../space/gaussian.js" */
/**
 * log: log f(x); support: where f is above 0; range: where its mass lies, for quadrature.
 *
 * @typedef {{ log: (x: number) => number, support: [number, number], range: [number, number] }} Density
 */

const SPAN = 12; // standard deviations: beyond them a Gaussian holds less than 1e-32
const POINTS = 2400; // even
/** @type {[number, number]} */
const EVERYWHERE = [-Infinity, Infinity];

/**
 * A Gaussian as a density.
 *
 * @param {Gaussian} it
 * @returns {Density}
 */
export const gaussian = (it) => ({
  log: (x) => logDensity(x, it),
  support: EVERYWHERE,
  range: [it.mu - SPAN * it.sigma, it.mu + SPAN * it.sigma],
});

/**
 * Two Gaussians, the first with the given share of the mass.
 *
 * @param {Gaussian} left
 * @param {Gaussian} right
 * @param {number} share
 * @returns {Density}
 */
export function mixture(left, right, share) {
  const ranges = [gaussian(left).range, gaussian(right).range];
  return {
    log: (x) => {
      const a = Math.log(share) + logDensity(x, left);
      const b = Math.log(1 - share) + logDensity(x, right);
      return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
    },
    support: EVERYWHERE,
    range: [Math.min(ranges[0][0], ranges[1][0]), Math.max(ranges[0][1], ranges[1][1])],
  };
}

/**
 * The uniform density between two places: 0 outside.
 *
 * @param {number} low
 * @param {number} high
 * @returns {Density}
 */
export const uniform = (low, high) => ({
  log: (x) => (x < low || x > high ? -Infinity : -Math.log(high - low)),
  support: [low, high],
  range: [low, high],
});

/**
 * ∫ f(x) dx from low to high by Simpson's rule, which is exact for cubics.
 *
 * @param {(x: number) => number} f
 * @param {number} low
 * @param {number} high
 * @param {number} [points] even
 */
export function simpson(f, low, high, points = POINTS) {
  const step = (high - low) / points;
  let sum = f(low) + f(high);
  for (let n = 1; n < points; n += 1) sum += (n % 2 ? 4 : 2) * f(low + n * step);
  return (sum * step) / 3;
}

/**
 * f · log(f/g), the integrand of KL(f‖g): 0 where f is 0, and infinite where only g is.
 *
 * @param {Density} f
 * @param {Density} g
 */
export const integrand = (f, g) => (/** @type {number} */ x) => {
  const log = f.log(x);
  return log === -Infinity ? 0 : Math.exp(log) * (log - g.log(x));
};

/**
 * KL(f‖g) = ∫ f log(f/g) by quadrature, nats (T2): infinite where f has mass and g has none.
 *
 * @param {Density} f
 * @param {Density} g
 */
export function divergence(f, g) {
  if (f.support[0] < g.support[0] || f.support[1] > g.support[1]) return Infinity;
  return simpson(integrand(f, g), ...f.range);
}

/**
 * The places where the densities of two Gaussians are the same: two, one or none, in their order.
 *
 * @param {Gaussian} q
 * @param {Gaussian} p
 */
export function crossings(q, p) {
  const [wq, wp] = [q.sigma ** -2, p.sigma ** -2];
  const a = (wp - wq) / 2;
  const b = wq * q.mu - wp * p.mu;
  const c = (wp * p.mu ** 2 - wq * q.mu ** 2) / 2 + Math.log(p.sigma / q.sigma);
  const root = Math.sqrt(b * b - 4 * a * c);
  const u = -(b + (b < 0 ? -root : root)) / 2;
  return [u / a, c / u].filter(Number.isFinite).sort((one, other) => one - other); // NaN where there is none
}

/**
 * The area of q log(q/p) above 0, and that below it as a number above 0; KL(q‖p) is their difference. The integrals go
 * from one crossing to the next, where the integrand is smooth.
 *
 * @param {Gaussian} q
 * @param {Gaussian} p
 */
export function signedParts(q, p) {
  const f = integrand(gaussian(q), gaussian(p));
  const [low, high] = gaussian(q).range;
  const ends = [low, ...crossings(q, p).filter((x) => x > low && x < high), high];
  const parts = ends.slice(1).map((end, n) => simpson(f, ends[n], end));
  const above = parts.reduce((sum, part) => sum + Math.max(part, 0), 0);
  return { above, below: parts.reduce((sum, part) => sum + Math.max(-part, 0), 0) };
}

/**
 * The three averages of the proof that KL is never negative (T4), under q and by quadrature, for t = p/q: E[t], which
 * is the area below p; E[log t] = −KL(q‖p); and the mean slack E[t − 1 − log t].
 *
 * @param {Gaussian} q
 * @param {Gaussian} p
 */
export function averages(q, p) {
  const [f, g] = [gaussian(q), gaussian(p)];
  const low = Math.min(f.range[0], g.range[0]);
  const high = Math.max(f.range[1], g.range[1]);
  const over = (/** @type {(log_q: number, log_p: number) => number} */ of) =>
    simpson((x) => of(f.log(x), g.log(x)), low, high, 2 * POINTS);
  return {
    t: over((_, log_p) => Math.exp(log_p)), // q · p/q, where q itself may be too small for a number
    log_t: over((log_q, log_p) => Math.exp(log_q) * (log_p - log_q)),
    slack: over((log_q, log_p) => Math.exp(log_p) - Math.exp(log_q) * (1 + log_p - log_q)),
  };
}
