// Gaussians in one dimension: densities, KL, and integrals over the axis by quadrature. vae_core/densities.py is the
// reference.

/** @typedef {{ mu: number, sigma: number }} Gaussian */

/**
 * log N(x; μ, σ²).
 *
 * @param {number} x
 * @param {Gaussian} of
 */
export const logDensity = (x, { mu, sigma }) =>
  -0.5 * ((x - mu) / sigma) ** 2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI);

/**
 * KL(q‖p) in closed form, nats (T7).
 *
 * @param {Gaussian} q
 * @param {Gaussian} p
 */
export const kl = (q, p) =>
  Math.log(p.sigma / q.sigma) + (q.sigma ** 2 + (q.mu - p.mu) ** 2) / (2 * p.sigma ** 2) - 0.5;

/**
 * ∫ f(x) dx from low to high by the composite trapezoid rule, which for smooth integrands that vanish at both ends
 * converges faster than any power of the number of points.
 *
 * @param {(x: number) => number} f
 * @param {number} low
 * @param {number} high
 * @param {number} [points]
 */
export function integral(f, low, high, points = 4000) {
  const step = (high - low) / points;
  let sum = (f(low) + f(high)) / 2;
  for (let n = 1; n < points; n += 1) sum += f(low + n * step);
  return sum * step;
}

/**
 * E_q[f] by quadrature over ±12 standard deviations of q.
 *
 * @param {Gaussian} q
 * @param {(x: number) => number} f
 */
export const expectation = (q, f) =>
  integral((x) => Math.exp(logDensity(x, q)) * f(x), q.mu - 12 * q.sigma, q.mu + 12 * q.sigma);
