// The normal distribution: draws, the distribution function and its inverse.

/** A draw from N(0, 1), by Box and Muller's method. */
export const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/**
 * The density of N(0, 1).
 *
 * @param {number} x
 */
export const density = (x) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/**
 * P(N(0, 1) ≤ x), to 1e-15 within ±8: the series of Marsaglia (2004), "Evaluating the normal distribution".
 *
 * @param {number} x
 */
export function probability(x) {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let sum = x;
  let term = x;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + sum * density(x);
}

/**
 * The x of which `probability` is p, within ±8: by bisection.
 *
 * @param {number} p
 */
export function quantile(p) {
  let [low, high] = [-8, 8];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (probability(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
