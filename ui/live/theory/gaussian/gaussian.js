// Two Gaussians to drag by their means and widths, the KL between them in its parts (T7), and below them the KL of each
// latent dimension of the image in hand (T8, T16).

import { make, minus } from "../../shared/page.js";
import { kl, logDensity } from "../../space/gaussian.js";
import { normal } from "../../space/normal.js";
import { handle } from "../parts/handle.js";
import { Numbers } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";
import { strip } from "../parts/strip.js";
import { bell, densityAxis } from "./density.js";
import { Dims } from "./dims.js";
import { byDraws, steps } from "./steps.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Gaussian } from "../../space/gaussian.js" */
/** @import { Dim } from "./dims.js" */

const REACH = 5; // of the axis, either way
const MEAN = 4; // the furthest mean, either way
const LOW = { q: 0.005, p: 0.1 }; // of σ: q gets as narrow as those of the shipped models
const HIGH = 3;
const TURN = 1.5; // from this mean on, a curve's width is dragged at its other side, which stays on the axis
const LEAST = 0.5; // of the axis of densities
const DRAWS = 1000;

/** @type {Build} */
export function build(frame) {
  const q = { mu: 1, sigma: 0.6 };
  const p = { mu: 0, sigma: 1 };
  const eps = Float64Array.from({ length: DRAWS }, normal);
  const ticks = [-4, -2, 0, 2, 4];
  const plot = new Plot({ x: [-REACH, REACH], y: [0, 1], label: "q and p over z", ratio: 0.62, ticks, xTitle: "z" });
  const axis = densityAxis(plot, LEAST);
  const numbers = new Numbers(frame, ROWS, { bars: true });
  const show = () => {
    axis.grow([q, p].map((it) => Math.exp(logDensity(it.mu, it))));
    plot.draw();
    follow(frame, numbers, { q, p, eps });
  };
  const moved = () => {
    show();
    frame.say("");
    frame.done();
  };
  /** @type {["q" | "p", Gaussian][]} */
  const both = [
    ["p", p],
    ["q", q],
  ];
  for (const [name, it] of both) {
    bell(plot, it, `live-of-${name}`);
    plot.mark(name, () => [it.mu, Math.exp(logDensity(it.mu, it))], `live-of-${name}`);
  }
  for (const [name, it] of both) grips(plot, name, it, moved); // above both curves, which else would catch the hand
  const dims = new Dims((dim) => {
    const { prior_mean: mu = 0, prior_std: sigma = 1 } = frame.image.known?.about ?? {};
    if (!take(frame, dim, { mu, sigma })) return;
    Object.assign(q, { mu: dim.mu, sigma: dim.std });
    Object.assign(p, { mu, sigma });
    moved();
  });
  frame.image.onChange((known) => {
    dims.show(known);
    frame.show({ kl_image: known ? known.looked.kl : "" });
  });
  const image = make("div", { className: "live-of-image" }, strip(frame), dims.node);
  frame.picture.append(legend(), plot.node, image);
  show();
  return {};
}

/**
 * Whether the q of a dimension and its prior can be shown; says so where one lies beyond the axis.
 *
 * @param {Frame} frame
 * @param {Dim} dim
 * @param {Gaussian} p
 */
function take(frame, { index, mu, std }, p) {
  const isOn = (/** @type {Gaussian} */ it, /** @type {number} */ low) =>
    Math.abs(it.mu) <= MEAN && it.sigma >= low && it.sigma <= HIGH;
  const fits = isOn({ mu, sigma: std }, LOW.q) && isOn(p, LOW.p);
  const at = `μ = ${minus(mu.toFixed(2))}, σ = ${std.toPrecision(2)}`;
  if (!fits) frame.say(`Dimension ${index} has ${at}: that lies beyond this axis. Choose another one.`);
  return fits;
}

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "widths", title: "$\\log(\\sigma_p/\\sigma_q)$", kind: "general" },
  { name: "spread", title: "$\\sigma_q^2/2\\sigma_p^2$", sign: "+", kind: "general" },
  { name: "shift", title: "$(\\mu_q-\\mu_p)^2/2\\sigma_p^2$", sign: "+", kind: "general" },
  { name: "half", title: "$\\tfrac12$", sign: "−", kind: "general" },
  { name: "kl", title: "KL(q ‖ p)", sign: "=", term: "kl", kind: "general" },
];

/** Both curves in numbers. */
function legend() {
  const of = (/** @type {string} */ name) => {
    const [mu, sigma] = ["mu", "sigma"].map((part) => {
      const output = make("output", {}, "–");
      output.dataset.value = `${part}_${name}`;
      return output;
    });
    return make("span", { className: `live-of-${name}` }, make("em", {}, name), " = N(", mu, ", ", sigma, "²)");
  };
  return make("p", { className: "live-two-curves" }, of("q"), of("p"));
}

/**
 * @param {Plot} plot
 * @param {keyof typeof LOW} name
 * @param {Gaussian} it
 * @param {() => void} moved
 */
function grips(plot, name, it, moved) {
  const top = () => Math.exp(logDensity(it.mu, it));
  const className = `live-of-${name}`;
  handle(plot, {
    said: `mean of ${name}`,
    at: () => [it.mu, top()],
    value: () => it.mu,
    low: -MEAN,
    high: MEAN,
    to: ({ x }) => x,
    className,
    onInput: (mu) => {
      it.mu = mu;
      moved();
    },
  });
  handle(plot, {
    said: `width of ${name}`,
    at: () => [it.mu > TURN ? it.mu - it.sigma : it.mu + it.sigma, top() * Math.exp(-0.5)],
    value: () => it.sigma,
    low: LOW[name],
    high: HIGH,
    to: ({ x }) => Math.abs(x - it.mu),
    className,
    onInput: (sigma) => {
      it.sigma = sigma;
      moved();
    },
  });
}

/**
 * Shows the parts of KL(q‖p), and what each line of its derivation comes to.
 *
 * @param {Frame} frame
 * @param {Numbers} numbers
 * @param {{ q: Gaussian, p: Gaussian, eps: Float64Array }} given
 */
function follow(frame, numbers, { q, p, eps }) {
  const widths = Math.log(p.sigma / q.sigma);
  const spread = q.sigma ** 2 / (2 * p.sigma ** 2);
  const shift = (q.mu - p.mu) ** 2 / (2 * p.sigma ** 2);
  const whole = kl(q, p);
  const width = (/** @type {Gaussian} */ { sigma }) => sigma.toFixed(sigma < 0.1 ? 3 : 2);
  frame.show({ mu_q: q.mu, sigma_q: width(q), mu_p: p.mu, sigma_p: width(p), ...steps(q, p) });
  frame.show({ widths, spread, shift, half: 0.5, kl: whole, draws: -byDraws(q, p, eps) });
  numbers.lay({
    widths: { from: 0, to: widths },
    spread: { from: widths, to: widths + spread },
    shift: { from: widths + spread, to: whole + 0.5 },
    half: { from: whole + 0.5, to: whole },
    kl: { from: 0, to: whole },
  });
}
