// A rotation of two latent dimensions, and what it does to a Gaussian q and to its KL (T7).

/**
 * A point turned about the origin.
 *
 * @param {number[]} point
 * @param {number} angle radians
 */
export function turned([x, y], angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c * x - s * y, s * x + c * y];
}

/**
 * The covariance of diag(σ²) turned: its variances and its covariance.
 *
 * @param {number[]} std two
 * @param {number} angle
 */
export function covariance([a, b], angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return { xx: c * c * a * a + s * s * b * b, yy: s * s * a * a + c * c * b * b, xy: c * s * (a * a - b * b) };
}

/**
 * KL(N(μ, Σ)‖N(0, I)) in two dimensions, nats.
 *
 * @param {number[]} mu
 * @param {{ xx: number, yy: number, xy: number }} of Σ
 */
export const fullKl = ([x, y], { xx, yy, xy }) => 0.5 * (xx + yy + x * x + y * y - 2 - Math.log(xx * yy - xy * xy));

/**
 * The KL of one dimension by itself, nats.
 *
 * @param {number} mu
 * @param {number} variance
 */
export const ownKl = (mu, variance) => 0.5 * (variance + mu * mu - 1 - Math.log(variance));
