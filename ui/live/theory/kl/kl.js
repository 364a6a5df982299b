// KL as an expectation (T2): two Gaussians to drag, the integrand as a signed area, and the same number in closed form,
// by quadrature and from draws.

import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { kl } from "../../space/gaussian.js";
import { Numbers } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";
import { Slider } from "../parts/slider.js";
import { Area } from "./area.js";
import { Draws, mean, standardError } from "./draws.js";
import { Game } from "./game.js";
import { divergence, gaussian, integrand, signedParts } from "./measure.js";
import { BOUNDS, bell, grips, pair, REACH, TICKS, TOP, tall } from "./pair.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Row } from "../parts/numbers.js" */

const MOST = 10_000; // draws
const FIRST = 10; // few enough that an estimate is often far off
const SHOWN = 300; // draws that are marked below q
const HIDDEN = "?"; // in place of a number while the game is on and a handle is held

/** @type {Row[]} */
const ROWS = [
  { name: "above", title: "area above 0", kind: "exact" },
  { name: "below", title: "area below 0", sign: "−", kind: "exact" },
  { name: "quadrature", title: "KL by quadrature", sign: "=", term: "kl", kind: "exact" },
  { name: "kl", title: "KL in closed form", sign: "=", term: "kl", kind: "general" },
  { name: "mc", title: "mean over the draws", sign: "≈", kind: "general" },
];

/** @type {Build} */
export function build(frame) {
  const plot = new Plot({ x: [-REACH, REACH], y: [0, TOP], label: "q and p over z", ratio: tall(0.46), ticks: TICKS });
  const title = "the integrand q log(q/p), whose signed area is the KL";
  const area = new Area({ label: "q log(q/p) over z", ratio: tall(0.42), ticks: TICKS, title });
  const numbers = new Numbers(frame, ROWS, { bars: true });
  const draws = new Draws(MOST);
  const estimate = controls(() => show(), frame, draws);
  const game = new Game(
    pair,
    () => kl(pair.q, pair.p),
    () => show(),
  );
  const show = () => {
    plot.draw();
    follow(frame, { numbers, area, draws, n: estimate.n(), isHidden: game.isHidden });
  };
  for (const name of /** @type {const} */ (["q", "p"])) bell(plot, name, () => pair[name]);
  rug(plot, draws, estimate.n);
  const told = { grabbed: () => game.grabbed(), moved: show, dropped: () => game.dropped() };
  for (const name of /** @type {const} */ (["q", "p"])) grips(plot, name, () => pair[name], BOUNDS, told);
  frame.picture.append(plot.node, area.node, estimate.node, game.node);
  return { shown: show, hidden: () => game.end() };
}

/**
 * How many draws there are, and a button for others.
 *
 * @param {() => void} show
 * @param {Frame} frame
 * @param {Draws} draws
 */
function controls(show, frame, draws) {
  const slider = new Slider({
    label: "$n$ draws from $q$",
    said: "number of draws",
    low: 1,
    high: MOST,
    value: FIRST,
    isLog: true,
    digits: 0,
    onInput: () => {
      show();
      frame.done();
    },
  });
  const again = make("button", { type: "button" }, "Draw again");
  again.onclick = () => {
    draws.draw();
    show();
    frame.done();
  };
  const node = make("div", { className: "live-estimate" }, slider.node, again);
  return { node, n: () => Math.round(slider.value) };
}

/**
 * Marks the draws on the axis.
 *
 * @param {Plot} plot
 * @param {Draws} draws
 * @param {() => number} n
 */
function rug(plot, draws, n) {
  const node = svg("path", { class: "live-rug" });
  plot.layer.append(node);
  plot.add(() => {
    const seen = draws.of(pair.q, Math.min(n(), SHOWN)).filter((z) => Math.abs(z) < REACH);
    const y = plot.py(0);
    set(node, { d: [...seen].map((z) => `M${plot.px(z).toFixed(1)},${y}v-12`).join("") });
  });
}

/**
 * @param {Frame} frame
 * @param {{ numbers: Numbers, area: Area, draws: Draws, n: number, isHidden: boolean }} given
 */
function follow(frame, { numbers, area, draws, n, isHidden }) {
  const { q, p } = pair;
  const [f, g] = [gaussian(q), gaussian(p)];
  const whole = kl(q, p);
  const above = rounded(signedParts(q, p).above);
  const below = above - rounded(whole); // so that the sum holds as it is read: at most 0.01 beside the true one
  const values = draws.logRatios(q, p, n).map((log_t) => -log_t);
  const mc = mean(values);
  const error = standardError(values);
  if (isHidden) {
    frame.show({ above: HIDDEN, below: HIDDEN, quadrature: HIDDEN, kl: HIDDEN, mc: HIDDEN });
    numbers.lay({ above: null, below: null, quadrature: null, kl: null, mc: null });
    area.show(integrand(f, g));
    return;
  }
  const spread = error === null ? "" : ` ± ${error.toFixed(2)}`;
  frame.show({ above, below, quadrature: divergence(f, g), kl: whole, mc: minus(mc.toFixed(2)) + spread });
  area.show(integrand(f, g), { above: `+${above.toFixed(2)}`, below: below < 0.005 ? "" : `−${below.toFixed(2)}` });
  numbers.rescale();
  numbers.lay({
    above: { from: 0, to: above },
    below: { from: above, to: whole },
    quadrature: { from: 0, to: whole },
    kl: { from: 0, to: whole },
    mc: { from: 0, to: mc },
  });
}

/** @param {number} value with the digits that are shown */
const rounded = (value) => Number(value.toFixed(2));
