// A plane through latent space: two directions, and how far along them its two coordinates are drawn.

import { probability, quantile } from "./normal.js";

/**
 * @typedef {ArrayLike<number>} Vector
 * @typedef {ReturnType<typeof plane>} Plane
 */

/** @type {(a: number[], b: Vector) => number} */
const dot = (a, b) => a.reduce((sum, value, j) => sum + value * b[j], 0);

/**
 * The plane of two orthogonal unit vectors in a space with the prior N(mean, std²) in each dimension.
 *
 * @param {number[][]} axes
 * @param {number} mean
 * @param {number} std
 * @param {boolean} quantiles whether a coordinate is drawn at its probability under the prior (0 to 1), else as it is
 * @param {number} reach how far from the prior's mean there is something to be seen
 */
export function plane(axes, mean, std, quantiles, reach) {
  const centres = axes.map((axis) => mean * axis.reduce((sum, value) => sum + value, 0)); // the prior's along each axis
  return {
    axes,
    centres,

    /** @type {(z: Vector) => number[]} the coordinates of a point */
    coordinates: (z) => axes.map((axis) => dot(axis, z)),

    /** @type {(z: Vector, coordinates: number[]) => Float32Array} the point with these coordinates on z's plane */
    through(z, coordinates) {
      const moved = Float64Array.from(z);
      axes.forEach((axis, k) => {
        const by = coordinates[k] - dot(axis, z);
        axis.forEach((value, j) => {
          moved[j] += by * value;
        });
      });
      return Float32Array.from(moved);
    },

    /** @type {(value: number, k: number) => number} where the k-th coordinate is drawn */
    drawn: (value, k) => (quantiles ? probability((value - centres[k]) / std) : value),

    /** @type {(place: number, k: number) => number} the k-th coordinate that is drawn at a place */
    at: (place, k) => (quantiles ? centres[k] + std * quantile(Math.min(1 - 1e-4, Math.max(1e-4, place))) : place),

    /** @type {(k: number) => number[]} both ends of all that there is to be seen */
    whole: (k) => (quantiles ? [0, 1] : [centres[k] - reach, centres[k] + reach]),
  };
}

/**
 * A window on a plane made wider or narrower: about a place that is in it, which then stays where it is, else about
 * the window's own middle.
 *
 * @param {number[][]} ranges both ends of the window along each axis
 * @param {number[]} place
 * @param {number} factor
 */
export function zoomed(ranges, place, factor) {
  const isInside = ranges.every(([low, high], k) => low <= place[k] && place[k] <= high);
  return ranges.map(([low, high], k) => {
    const fixed = isInside ? place[k] : (low + high) / 2;
    return [low, high].map((end) => fixed + factor * (end - fixed));
  });
}

/**
 * The unit vector of a dimension.
 *
 * @param {number} index
 * @param {number} dims
 */
export const unit = (index, dims) => Array.from({ length: dims }, (_, j) => (j === index ? 1 : 0));
