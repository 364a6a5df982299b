// Ways through latent space from one point to another.

/** @import { Z } from "../shared/types.js" */

/**
 * Points from a to b in equal steps of the line between them.
 *
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 * @param {number} count
 * @returns {Z[]}
 */
export const line = (a, b, count) =>
  Array.from({ length: count }, (_, n) =>
    Float32Array.from(a, (value, j) => value + (n / (count - 1)) * (b[j] - value)),
  );

/**
 * Points from a to b along the great circle about the prior's mean; the distance from it goes evenly from one to the
 * other.
 *
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 * @param {number} count
 * @returns {Z[]}
 */
export function circle(a, b, count, mean = 0) {
  const [from, to] = [a, b].map((z) => Array.from(z, (value) => value - mean));
  const [r, s] = [from, to].map((z) => Math.hypot(...z));
  const cosine = from.reduce((sum, value, j) => sum + value * to[j], 0) / (r * s);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (!(angle > 1e-6 && angle < Math.PI - 1e-6)) return line(a, b, count); // along one ray, or through the middle
  return Array.from({ length: count }, (_, n) => {
    const t = n / (count - 1);
    const radius = r + t * (s - r);
    const [u, v] = [Math.sin((1 - t) * angle) / Math.sin(angle) / r, Math.sin(t * angle) / Math.sin(angle) / s];
    return Float32Array.from(from, (value, j) => mean + radius * (u * value + v * to[j]));
  });
}
