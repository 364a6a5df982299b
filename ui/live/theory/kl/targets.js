// What q is compared with on the card on the two directions: two humps, the visitor's Gaussian p, or a box; each with
// its handles.

import { logDensity } from "../../space/gaussian.js";
import { gaussian, mixture, uniform } from "./measure.js";
import { BOUNDS, grip, grips, pair } from "./pair.js";

/** @import { Gaussian } from "../../space/gaussian.js" */
/** @import { Plot } from "../parts/plot.js" */
/** @import { Bounds, Told } from "./pair.js" */
/** @import { Density } from "./measure.js" */
/**
 * title: on its button; density: p; top: where its name stands; q: what is compared with it; start: where
 * KL(q‖p) may have another minimum, so that a fit begins there, too; bounds: of q; grips: the handles of p.
 *
 * @typedef {{
 *   title: string, density: () => Density, top: () => [number, number], q: Gaussian, start?: () => Gaussian,
 *   bounds: Bounds, grips: (plot: Plot, told: Told) => SVGGElement[],
 * }} Target
 */

const SHARE = 0.55; // of the left hump
const HUMP = 0.5; // its σ
/** @type {Bounds} */
const WIDE = { mu: [-2.5, 2.5], sigma: [0.5, 2.6] }; // of q, which may have to cover both humps
const EDGES = { inner: 0.5, outer: 3 }; // of the box, either side of 0

const left = { mu: -1.6, sigma: HUMP };
const right = { mu: 1.6, sigma: HUMP };
const box = { low: -2, high: 2 };
const humps = () => mixture(left, right, SHARE);

/**
 * The hump on the side of q.
 *
 * @param {Gaussian} q
 */
const near = ({ mu }) => (Math.abs(mu - left.mu) <= Math.abs(mu - right.mu) ? left : right);

/** @type {Record<"humps" | "gaussian" | "box", Target>} */
export const TARGETS = {
  humps: {
    title: "two humps",
    density: humps,
    top: () => [left.mu, Math.exp(humps().log(left.mu))],
    q: { mu: 0.4, sigma: 1 },
    start: () => near(TARGETS.humps.q),
    bounds: WIDE,
    grips: (plot, told) => [hump(plot, told, left, "left"), hump(plot, told, right, "right")],
  },
  gaussian: {
    title: "a Gaussian",
    density: () => gaussian(pair.p),
    top: () => [pair.p.mu, Math.exp(logDensity(pair.p.mu, pair.p))],
    q: pair.q,
    bounds: BOUNDS,
    grips: (plot, told) => grips(plot, "p", () => pair.p, BOUNDS, told),
  },
  box: {
    title: "a box",
    density: () => uniform(box.low, box.high),
    top: () => [(box.low + box.high) / 2, 1 / (box.high - box.low)],
    q: { mu: 0.5, sigma: 0.7 },
    bounds: WIDE,
    grips: (plot, told) => [
      edge(plot, told, "low", [-EDGES.outer, -EDGES.inner]),
      edge(plot, told, "high", [EDGES.inner, EDGES.outer]),
    ],
  },
};

/**
 * The handle of a hump's mean.
 *
 * @param {Plot} plot
 * @param {Told} told
 * @param {Gaussian} it
 * @param {string} side
 */
const hump = (plot, told, it, side) =>
  grip(plot, told, {
    said: `mean of the ${side} hump`,
    at: () => [it.mu, Math.exp(humps().log(it.mu))],
    value: () => it.mu,
    low: WIDE.mu[0],
    high: WIDE.mu[1],
    to: ({ x }) => x,
    className: "live-of-p",
    onInput: (mu) => Object.assign(it, { mu }),
  });

/**
 * The handle of an edge of the box.
 *
 * @param {Plot} plot
 * @param {Told} told
 * @param {"low" | "high"} side
 * @param {[number, number]} bounds
 */
const edge = (plot, told, side, [low, high]) =>
  grip(plot, told, {
    said: side === "low" ? "left edge of p" : "right edge of p",
    at: () => [box[side], 0.5 / (box.high - box.low)],
    value: () => box[side],
    low,
    high,
    to: ({ x }) => x,
    className: "live-of-p",
    onInput: (x) => Object.assign(box, { [side]: x }),
  });

/**
 * What a fit has come to, in a sentence.
 *
 * @param {"humps" | "gaussian" | "box"} name
 * @param {"seeking" | "covering"} which
 * @param {Gaussian} q
 */
export function saysOf(name, which, q) {
  if (name === "gaussian") return "p is a Gaussian itself: both ways come to q = p, and both KLs to 0.";
  if (name === "box")
    return "KL(p‖q) matches mean and width. KL(q‖p) stays infinite: the tails of q reach where p is 0.";
  if (which === "covering")
    return "Mass-covering: q has the mean and the width of p as a whole, and its top between the humps.";
  if (q.sigma > 1.3 * HUMP)
    return "Mode-seeking: q settles where p is high. Drag the humps apart, and it keeps to one of them.";
  const share = near(q) === left ? SHARE : 1 - SHARE;
  const price = `log(1/${share.toFixed(2)}) = ${Math.log(1 / share).toFixed(2)}`;
  return `Mode-seeking: q keeps to one hump, which costs ${price} nats, wherever the other hump is.`;
}
