// The numbers that the meter shows: few digits, and sums that hold as they are read.

import { sum } from "./scale.js";

/** @import { Terms } from "../shared/types.js" */
/** @typedef {(number | null)[]} Sum [a, b, c] for a + b = c; unknown where one of them is null */

const SLACK = 0.005; // nats by which a sum that holds may miss it: the terms come rounded

/**
 * The numbers that the meter shows, and with how many digits they add up; null where they do not add up at all.
 *
 * One digit is shown where sums hold with every number rounded for itself, else two. Where two do not do, the sums shown
 * are those of the rounded terms, at most 0.015 nats off.
 *
 * @param {Terms & { log_px: number | null }} terms
 * @param {{ encoder: Terms, best: number | null } | null} split the encoder's terms, and the ELBO of the refined q
 */
export function figures(terms, split) {
  const encoder = split?.encoder.elbo ?? null;
  const best = split?.best ?? null;
  const { reconstruction_term: reconstruction, kl, elbo, log_px: evidence } = terms;
  const exact = { shown: terms, amortization: sum(best, encoder, -1), approximation: sum(evidence, best, -1) };
  const sums = [
    [elbo, kl, reconstruction],
    [elbo, sum(evidence, elbo, -1), evidence],
    [exact.amortization, exact.approximation, sum(exact.amortization, exact.approximation)],
  ];
  if (!sums.every(holds)) return { ...exact, digits: null };
  if (sums.every((each) => isRead(each, 1))) return { ...exact, digits: 1 };
  if (sums.every((each) => isRead(each, 2))) return { ...exact, digits: 2 };
  const rounded = { reconstruction_term: near(reconstruction), kl: near(kl), log_px: near(evidence) };
  const added = sum(rounded.reconstruction_term, rounded.kl, -1);
  const reached = best === elbo ? added : near(best);
  return {
    shown: { ...terms, ...rounded, elbo: added },
    amortization: sum(reached, near(encoder), -1),
    approximation: sum(rounded.log_px, reached, -1),
    digits: 2,
  };
}

/** @param {Sum} terms */
function holds([a, b, c]) {
  const whole = sum(a, b);
  return whole === null || c === null || Math.abs(whole - c) < SLACK;
}

/**
 * Whether a sum holds as it is read, with every number rounded for itself.
 *
 * @param {Sum} terms
 * @param {number} digits
 */
function isRead(terms, digits) {
  if (terms.includes(null)) return true;
  const [a, b, c] = terms.map((value) => Math.round(Number(value) * 10 ** digits));
  return a + b === c;
}

/** @param {number | null} value */
const near = (value) => (value === null ? null : Number(value.toFixed(2)));
