// The two Gaussians of the visitor, which the cards of this folder share, and a Gaussian as a curve with two handles.

import { logDensity } from "../../space/gaussian.js";
import { handle } from "../parts/handle.js";

/** @import { Plot } from "../parts/plot.js" */
/** @import { Gaussian } from "../../space/gaussian.js" */
/**
 * low, high: of the mean and the width.
 *
 * @typedef {{ mu: [number, number], sigma: [number, number] }} Bounds
 * @typedef {{ grabbed?: () => void, moved: () => void, dropped?: () => void }} Told
 */

/** @type {{ q: Gaussian, p: Gaussian }} */
export const pair = { q: { mu: 1, sigma: 0.8 }, p: { mu: 0, sigma: 1 } };

/** @type {Bounds} */
export const BOUNDS = { mu: [-2.5, 2.5], sigma: [0.4, 1.6] }; // of both: they stay within the axis
export const REACH = 5.5; // of the axis, either way
export const TOP = 1.1; // of the axis of densities
export const TICKS = [-4, -2, 0, 2, 4];

const NARROW = 900; // px, below which theory.css has one column
export const STEP = 0.05; // of an arrow key

/**
 * The ratio of a plot's height to its width: greater on a narrow screen, where a finger needs the room.
 *
 * @param {number} ratio
 */
export const tall = (ratio) => (innerWidth <= NARROW ? 1.5 * ratio : ratio);

/**
 * The area below a Gaussian, its curve and its name.
 *
 * @param {Plot} plot
 * @param {string} name
 * @param {() => Gaussian} of
 */
export function bell(plot, name, of) {
  const density = (/** @type {number} */ x) => Math.exp(logDensity(x, of()));
  const mark = () => /** @type {[number, number]} */ ([of().mu, density(of().mu)]);
  const className = `live-of-${name}`;
  return [plot.area(density, className), plot.curve(density, className), plot.mark(name, mark, className)];
}

/**
 * The handles of a Gaussian: its top moves the mean, its side the width.
 *
 * @param {Plot} plot
 * @param {string} name
 * @param {() => Gaussian} of
 * @param {Bounds} bounds
 * @param {Told} told
 */
export function grips(plot, name, of, bounds, told) {
  const top = () => Math.exp(logDensity(of().mu, of()));
  const className = `live-of-${name}`;
  const mean = grip(plot, told, {
    said: `mean of ${name}`,
    at: () => [of().mu, top()],
    value: () => of().mu,
    low: bounds.mu[0],
    high: bounds.mu[1],
    to: ({ x }) => x,
    className,
    onInput: (mu) => Object.assign(of(), { mu }),
  });
  const width = grip(plot, told, {
    said: `width of ${name}`,
    at: () => [of().mu + of().sigma, top() * Math.exp(-0.5)],
    value: () => of().sigma,
    low: bounds.sigma[0],
    high: bounds.sigma[1],
    to: ({ x }) => Math.abs(x - of().mu),
    className,
    onInput: (sigma) => Object.assign(of(), { sigma }),
  });
  return [mean, width];
}

/**
 * A handle that tells when a drag begins, moves and ends. By the keyboard it ends with Enter, or when the handle loses
 * the focus.
 *
 * @param {Plot} plot
 * @param {Told} told
 * @param {import("../parts/handle.js").Options} options
 */
export function grip(plot, { grabbed, moved, dropped }, options) {
  let isMoving = false;
  const onInput = (/** @type {number} */ value) => {
    if (!isMoving) grabbed?.();
    isMoving = true;
    options.onInput(value);
    moved();
  };
  const drop = () => {
    if (isMoving) dropped?.();
    isMoving = false;
  };
  const node = handle(plot, { step: STEP, ...options, onInput });
  for (const end of ["pointerup", "pointercancel", "blur"]) node.addEventListener(end, drop);
  node.addEventListener("keydown", ({ key }) => key === "Enter" && drop());
  return node;
}
