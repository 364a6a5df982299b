// The Gaussian of least KL: natural-gradient descent of the KL by quadrature, whose steps can be shown.

/** @import { Gaussian } from "../../space/gaussian.js" */
/** @import { Bounds } from "./pair.js" */

const STEPS = 300; // at most
const RATE = 0.5; // of the natural gradient: near an optimum, 1 would be a Newton step
const DELTA = 1e-4; // of the central differences
const TURN = 24; // steps from q to the other start
const SAME = 1e-6; // nats between minima that are one
const STILL = 1e-7; // a step as small as this is the last

/**
 * The way from q to the better of two local minima: the one that is found from q itself, and the one that is found
 * from another start.
 *
 * @param {(q: Gaussian) => number} loss finite
 * @param {Gaussian} q
 * @param {Bounds} bounds
 * @param {Gaussian | null} other
 */
export function fitted(loss, q, bounds, other) {
  const first = descent(loss, q, bounds);
  const second = other ? descent(loss, other, bounds) : first;
  if (loss(first[first.length - 1]) <= loss(second[second.length - 1]) + SAME) return first;
  const part = (/** @type {number} */ n, /** @type {"mu" | "sigma"} */ of) =>
    q[of] + (n / TURN) * (second[0][of] - q[of]);
  const turn = Array.from({ length: TURN }, (_, n) => ({ mu: part(n, "mu"), sigma: part(n, "sigma") }));
  return [...turn, ...second];
}

/**
 * The Gaussians on the way to a local minimum of a loss, the first of them where it begins. The gradient in (μ, log σ)
 * is multiplied by the inverse Fisher information, diag(σ², ½); a step that does not lower the loss is halved.
 *
 * @param {(q: Gaussian) => number} loss finite
 * @param {Gaussian} from
 * @param {Bounds} bounds
 */
export function descent(loss, from, bounds) {
  let at = { ...from };
  let now = loss(at);
  const way = [at];
  for (let n = 0; n < STEPS; n += 1) {
    const { mu, sigma } = at;
    const slope = gradient(loss, at);
    let [rate, next, lower] = [RATE, at, now];
    do {
      next = within(
        { mu: mu - rate * sigma ** 2 * slope.mu, sigma: sigma * Math.exp((-rate * slope.log_sigma) / 2) },
        bounds,
      );
      lower = loss(next);
      rate /= 2;
    } while (!(lower < now) && rate > STILL);
    const isStill = Math.abs(next.mu - mu) + Math.abs(next.sigma - sigma) < STILL;
    if (isStill || !(lower < now)) break;
    [at, now] = [next, lower];
    way.push(at);
  }
  return way;
}

/**
 * The slopes of a loss by central differences.
 *
 * @param {(q: Gaussian) => number} loss
 * @param {Gaussian} at
 */
function gradient(loss, { mu, sigma }) {
  const wider = sigma * Math.exp(DELTA);
  const narrower = sigma * Math.exp(-DELTA);
  return {
    mu: (loss({ mu: mu + DELTA, sigma }) - loss({ mu: mu - DELTA, sigma })) / (2 * DELTA),
    log_sigma: (loss({ mu, sigma: wider }) - loss({ mu, sigma: narrower })) / (2 * DELTA),
  };
}

/**
 * @param {Gaussian} it
 * @param {Bounds} bounds
 */
const within = ({ mu, sigma }, bounds) => ({ mu: clamp(mu, bounds.mu), sigma: clamp(sigma, bounds.sigma) });

/**
 * @param {number} value
 * @param {[number, number]} bounds
 */
const clamp = (value, [low, high]) => Math.min(high, Math.max(low, value));
