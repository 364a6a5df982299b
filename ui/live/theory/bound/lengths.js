// The scale of bars that are sums of one another: it begins near them, so that a gap of a nat is seen beside −100.

/** @import { Scale } from "../../meter/scale.js" */

const ROOM = 0.08; // of what is shown, at one end
const MORE = 0.6; // of it, where values have left the last scale
const BEYOND = 0.4; // of it, at the end where totals go on
const LEAST = 1; // nats from end to end, at least
const LOST = 6; // times as wide as what is shown, a scale is another one

/**
 * The scale for some values: the last one as long as they are well seen on it. Totals begin at its base, beyond which they
 * go on to 0.
 *
 * @param {Scale | null} last
 * @param {(number | null)[]} values
 * @returns {Scale}
 */
export function scaleAround(last, values) {
  const known = values.filter((value) => value !== null && Number.isFinite(value)).map(Number);
  if (!known.length) return last ?? { low: -LEAST, high: 0, base: 0 };
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const span = Math.max(LEAST, most - least);
  if (last && isSeen(last, least, most)) return last;
  const isBelow = most < 0; // 0
  const room = last ? MORE : ROOM;
  const low = least - (isBelow ? room : BEYOND) * span;
  const high = most + (isBelow ? BEYOND : room) * span;
  return { low, high, base: isBelow ? high : low };
}

/**
 * Whether what lies between two values is well seen on a scale, and totals of either have a length.
 *
 * @param {Scale} scale
 * @param {number} least
 * @param {number} most
 */
function isSeen({ low, high, base }, least, most) {
  const whole = high - low;
  const shortest = Math.min(Math.abs(base - least), Math.abs(base - most));
  return (
    low <= least && most <= high && shortest > (BEYOND * whole) / LOST && whole < LOST * Math.max(LEAST, most - least)
  );
}
