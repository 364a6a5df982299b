// Densities for people: three digits, however small they are.

import { minus } from "../../shared/page.js";

const LEAST = 1e-3; // below which a power of ten is written
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * A number with three significant digits.
 *
 * @param {number} value
 */
export function significant(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1000) return minus(value.toFixed(0));
  if (size >= LEAST) return minus(value.toPrecision(3));
  const [digits, power] = value.toExponential(1).split("e");
  return `${minus(digits)} · 10${raised(power)}`;
}

/** @param {string} power */
const raised = (power) =>
  power
    .replace("+", "")
    .replace("-", "⁻")
    .replace(/\d/g, (digit) => RAISED[Number(digit)]);
