// The arithmetic of the meter: lengths that add up, on a scale that ends in plain numbers.

const CUT = 12; // if the common part of all bars is this many times their differences, the scale does not begin at 0

/** @typedef {{ low: number, high: number, base: number }} Scale its ends, and where its totals begin */

/**
 * A scale; its totals begin at 0, unless that is too far off.
 *
 * @param {(number | null)[]} values
 * @returns {Scale}
 */
export function scale(values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return { low: -1, high: 0, base: 0 };
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const span = Math.max(1, most - least);
  const near = Math.min(Math.abs(least), Math.abs(most));
  if (least * most > 0 && near > CUT * span) {
    const unit = nice(span / 4);
    const [low, high] = [Math.floor(least / unit - 1), Math.ceil(most / unit + 1)].map((count) =>
      Number((unit * count).toPrecision(9)),
    );
    return { low, high, base: most < 0 ? high : low };
  }
  return { low: least < 0 ? -nice(-least) : 0, high: most > 0 ? nice(most) : 0, base: 0 };
}

/**
 * A scale made wider, where that is needed to hold values.
 *
 * @param {Scale} last
 * @param {(number | null)[]} values
 * @returns {Scale}
 */
export function widened(last, values) {
  const known = values.filter((value) => value !== null);
  const [least, most] = [Math.min(last.low, ...known), Math.max(last.high, ...known)];
  if (least === last.low && most === last.high) return last;
  if (last.base === 0) return scale([least, most]);
  const unit = nice((most - least) / 6);
  const [low, high] = [Math.floor(least / unit) * unit, Math.ceil(most / unit) * unit].map((end) =>
    Number(end.toPrecision(9)),
  );
  return { low, high, base: last.base === last.high ? high : low };
}

/**
 * The next number of 1, 1.2, 1.5, 2 … 8 times a power of ten: the scale moves seldom.
 *
 * @param {number} value
 */
export function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  const step = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8].find((each) => each * power >= value) ?? 10;
  return Number((power * step).toPrecision(3));
}

/**
 * a + sign · b; null where one of them is.
 *
 * @param {number | null} a
 * @param {number | null} b
 */
export const sum = (a, b, sign = 1) => (a === null || b === null ? null : a + sign * b);
