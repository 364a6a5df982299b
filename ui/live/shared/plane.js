// A plane through latent space: two directions, and how far along them its two coordinates are drawn.

import { probability, quantile } from "./normal.js";

const dot = (a, b) => a.reduce((sum, value, j) => sum + value * b[j], 0);

/**
 * The plane of two orthogonal unit vectors in a space with the prior N(mean, std²) in each dimension.
 * quantiles: whether coordinates are drawn at their probability under the prior (0 to 1), else as they are.
 */
export function plane(axes, mean, std, quantiles) {
  const centres = axes.map((axis) => mean * axis.reduce((sum, value) => sum + value, 0)); // the prior's along each axis
  return {
    axes,
    centres,
    /** The coordinates of a point. */
    coordinates: (z) => axes.map((axis) => dot(axis, z)),
    /** The point of these coordinates on the plane through another point. */
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
    /** Where a coordinate is drawn, and which one is drawn there. */
    drawn: (value, k) => (quantiles ? probability((value - centres[k]) / std) : value),
    at: (place, k) => (quantiles ? centres[k] + std * quantile(Math.min(1 - 1e-4, Math.max(1e-4, place))) : place),
    /** The whole of it, as far as it is drawn at first. */
    whole: (k) => (quantiles ? [0, 1] : [centres[k] - 4 * std, centres[k] + 4 * std]),
  };
}

/** The unit vector of a dimension. */
export const unit = (index, dims) => Array.from({ length: dims }, (_, j) => (j === index ? 1 : 0));
