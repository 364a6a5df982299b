// Two Gaussians to drag by their means and widths, and the KL between them in its parts (T7).

import { expectation, kl, logDensity } from "../../space/gaussian.js";
import { handle } from "../parts/handle.js";
import { Numbers } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";

/** @import { Build, Frame } from "../frame.js" */

const REACH = 4; // of the axis, either way
const TOP = 1.1; // of the axis of densities
const WIDTHS = [0.2, 3]; // of σ
const [LOW, HIGH] = WIDTHS;

/** @type {Build} */
export function build(frame) {
  const q = { mu: 1, sigma: 0.6 };
  const p = { mu: 0, sigma: 1 };
  const plot = new Plot({
    x: [-REACH, REACH], y: [0, TOP], label: "q and p over z", ratio: 0.8, ticks: [-4, -2, 0, 2, 4], xTitle: "z",
  }); // biome-ignore format: one line an axis
  const numbers = new Numbers(frame, ROWS, { bars: true });
  const show = () => {
    plot.draw();
    follow(frame, numbers, q, p);
  };
  for (const [name, it] of Object.entries({ q, p })) {
    plot.area((x) => Math.exp(logDensity(x, it)), `live-of-${name}`);
    plot.curve((x) => Math.exp(logDensity(x, it)), `live-of-${name}`);
    plot.mark(name, () => [it.mu, Math.exp(logDensity(it.mu, it))], `live-of-${name}`);
    grips(plot, name, it, () => {
      show();
      frame.done();
    });
  }
  frame.picture.append(plot.node);
  show();
  return {};
}

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "widths", title: "$\\log(\\sigma_p/\\sigma_q)$", kind: "general" },
  { name: "spread", title: "$\\sigma_q^2/2\\sigma_p^2$", sign: "+", kind: "general" },
  { name: "shift", title: "$(\\mu_q-\\mu_p)^2/2\\sigma_p^2$", sign: "+", kind: "general" },
  { name: "half", title: "$\\tfrac12$", sign: "−", kind: "general" },
  { name: "kl", title: "KL(q ‖ p)", sign: "=", term: "kl", kind: "general" },
];

/**
 * @param {Plot} plot
 * @param {string} name
 * @param {{ mu: number, sigma: number }} it
 * @param {() => void} moved
 */
function grips(plot, name, it, moved) {
  const top = () => Math.exp(logDensity(it.mu, it));
  handle(plot, {
    said: `mean of ${name}`,
    at: () => [it.mu, top()],
    value: () => it.mu,
    low: -3,
    high: 3,
    to: ({ x }) => x,
    className: `live-of-${name}`,
    onInput: (mu) => {
      it.mu = mu;
      moved();
    },
  });
  handle(plot, {
    said: `width of ${name}`,
    at: () => [it.mu + it.sigma, top() * Math.exp(-0.5)],
    value: () => it.sigma,
    low: LOW,
    high: HIGH,
    to: ({ x }) => Math.abs(x - it.mu),
    className: `live-of-${name}`,
    onInput: (sigma) => {
      it.sigma = sigma;
      moved();
    },
  });
}

/**
 * @param {Frame} frame
 * @param {Numbers} numbers
 * @param {import("../../space/gaussian.js").Gaussian} q
 * @param {import("../../space/gaussian.js").Gaussian} p
 */
function follow(frame, numbers, q, p) {
  const widths = Math.log(p.sigma / q.sigma);
  const spread = q.sigma ** 2 / (2 * p.sigma ** 2);
  const shift = (q.mu - p.mu) ** 2 / (2 * p.sigma ** 2);
  const whole = kl(q, p);
  const log_q = expectation(q, (z) => logDensity(z, q));
  const log_p = expectation(q, (z) => logDensity(z, p));
  frame.show({ widths, spread, shift, half: 0.5, kl: whole, log_q, log_p, quadrature: log_q - log_p });
  numbers.lay({
    widths: { from: 0, to: widths },
    spread: { from: widths, to: widths + spread },
    shift: { from: widths + spread, to: whole + 0.5 },
    half: { from: whole + 0.5, to: whole },
    kl: { from: 0, to: whole },
  });
}
