// Importance weights w = p(x, z)/q(z|x) of an image: the log of their mean against the mean of their logs (T13).

/**
 * Of one number of draws: the average of the log of their mean, and between which values eight of ten of these lie.
 *
 * @typedef {{ average: number, low: number, high: number }} Bound
 */

const SHUFFLES = 8; // of the draws, of which each gives other groups
const TAIL = 0.1; // of the groups, at both ends

/**
 * log of the mean of e^v.
 *
 * @param {ArrayLike<number>} logs
 */
export function logMeanExp(logs) {
  let most = -Infinity;
  for (let n = 0; n < logs.length; n += 1) most = Math.max(most, logs[n]);
  if (!Number.isFinite(most)) return most;
  let sum = 0;
  for (let n = 0; n < logs.length; n += 1) sum += Math.exp(logs[n] - most);
  return most + Math.log(sum / logs.length);
}

/**
 * @param {ArrayLike<number>} values
 */
export function meanOf(values) {
  let sum = 0;
  for (let n = 0; n < values.length; n += 1) sum += values[n];
  return sum / values.length;
}

/**
 * The draws in another order.
 *
 * @param {Float64Array} values
 * @param {() => number} random in [0, 1)
 */
export function shuffled(values, random = Math.random) {
  const mixed = values.slice();
  for (let n = mixed.length - 1; n > 0; n -= 1) {
    const k = Math.floor(random() * (n + 1));
    [mixed[n], mixed[k]] = [mixed[k], mixed[n]];
  }
  return mixed;
}

/**
 * The draws in several orders, of which the groups of every size are taken: those of twice a size are each made of two
 * of that size, so that the average rises with the size as Jensen's inequality has it.
 *
 * @param {Float64Array} logs
 * @param {() => number} [random]
 */
export const ordersOf = (logs, random) => Array.from({ length: SHUFFLES }, () => shuffled(logs, random));

/**
 * The importance-weighted bound of K draws, from all groups of K in some orders.
 *
 * @param {Float64Array[]} orders
 * @param {number} count K, at most as many as there are draws
 * @returns {Bound}
 */
export function boundOf(orders, count) {
  const found = orders.flatMap((logs) =>
    Array.from({ length: Math.floor(logs.length / count) }, (_, n) =>
      logMeanExp(logs.subarray(n * count, (n + 1) * count)),
    ),
  );
  found.sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => found[Math.round(share * (found.length - 1))];
  return { average: meanOf(found), low: at(TAIL), high: at(1 - TAIL) };
}

/**
 * How many values lie in each bin; those below the first are counted there.
 *
 * @param {ArrayLike<number>} values
 * @param {number} low
 * @param {number} high
 * @param {number} bins
 */
export function counts(values, low, high, bins) {
  const found = new Array(bins).fill(0);
  for (let n = 0; n < values.length; n += 1) {
    const bin = Math.floor(((values[n] - low) / (high - low)) * bins);
    found[Math.max(0, Math.min(bins - 1, bin))] += 1;
  }
  return found;
}
