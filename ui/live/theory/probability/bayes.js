// Bayes' theorem on one axis, with an observation to drag, and on the model's plane, for the image in hand (T1).

import { make } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { Plot } from "../parts/plot.js";
import { significant } from "../parts/significant.js";
import { Slider } from "../parts/slider.js";
import { strip } from "../parts/strip.js";
import { bayes } from "./line.js";
import { Maps } from "./maps.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Observation } from "./line.js" */

const REACH = 4; // of the axis, either way
const MOST = 3.5; // of the z that explains x best, either way
const [LOW, HIGH] = [0.3, 2]; // of the noise
const CURVES = /** @type {const} */ (["prior", "likelihood", "posterior"]);
const ROOM = 1.16; // of the axis of densities above the highest curve

/** @type {Build} */
export function build(frame) {
  const observation = { w: 2, x: 2.4, noise: 0.8 };
  const place = { z: 0.5 };
  let now = bayes(observation);
  const plot = new Plot({
    x: [-REACH, REACH], y: [0, 1], label: "Prior, likelihood and posterior over z", ratio: 0.5,
    ticks: [-4, -2, 0, 2, 4], xTitle: "z",
  }); // biome-ignore format: one line an axis
  const show = () => {
    now = bayes(observation);
    const { prior, likelihood, posterior, seen, is } = now;
    plot.y = [0, ROOM * Math.max(prior(0), likelihood(seen.mu), posterior(is.mu))];
    plot.draw();
    tell(frame, now, place.z);
  };
  const moved = () => {
    observation.x = Math.max(-MOST * observation.w, Math.min(MOST * observation.w, observation.x));
    show();
    frame.done();
  };
  draw(plot, () => now, place);
  grips(plot, observation, place, moved);
  const slope = new Slider({
    label: "x = w z + noise, with w", said: "w", low: 0.5, high: 2, step: 0.05, value: observation.w,
    onInput: (w) => {
      observation.w = w;
      moved();
    },
  }); // biome-ignore format: its options in few lines
  frame.numbers.append(glossary());
  const maps = new Maps(frame);
  frame.picture.append(plot.node, slope.node, maps.node, strip(frame, { isFlat: true }));
  show();
  return { shown: () => maps.shown(true), hidden: () => maps.shown(false) };
}

/**
 * Puts the curves into the plot, and a line at the place where they are read.
 *
 * @param {Plot} plot
 * @param {() => ReturnType<typeof bayes>} now
 * @param {{ z: number }} place
 */
function draw(plot, now, place) {
  plot.area((z) => now().joint(z), "term-evidence live-of-evidence");
  const line = svg("line", { class: "live-reading" });
  plot.layer.append(line);
  plot.add(() => {
    const x = plot.px(place.z);
    set(line, { x1: x, x2: x, y1: plot.py(0), y2: plot.py(plot.y[1]) });
  });
  for (const name of CURVES) plot.curve((z) => now()[name](z), `term-${name}`);
  plot.mark("p(z)", () => [-1.7, now().prior(-1.7)], "term-prior");
  plot.mark("p(x|z)", () => beside(now().seen, now().likelihood), "term-likelihood");
  plot.mark("p(z|x)", () => [now().is.mu, now().posterior(now().is.mu)], "term-posterior");
}

/**
 * The place of a curve's name: outwards of its top.
 *
 * @param {{ mu: number, sigma: number }} seen
 * @param {(z: number) => number} f
 * @returns {[number, number]}
 */
function beside({ mu, sigma }, f) {
  const out = mu + (mu < 0 ? -1 : 1) * (sigma + 0.5);
  const z = Math.max(0.4 - REACH, Math.min(REACH - 0.4, out));
  return [z, f(z)];
}

/**
 * The handles: the observation at the top of the likelihood, its noise at a side of it, and the place on the axis.
 *
 * @param {Plot} plot
 * @param {Observation} observation
 * @param {{ z: number }} place
 * @param {() => void} moved
 */
function grips(plot, observation, place, moved) {
  const height = () => 1 / (observation.noise * Math.sqrt(2 * Math.PI));
  const peak = () => observation.x / observation.w;
  const inwards = () => (peak() > 0 ? -1 : 1);
  handle(plot, {
    said: "the observation x",
    at: () => [peak(), height()],
    value: () => observation.x,
    low: -2 * MOST,
    high: 2 * MOST,
    to: ({ x }) => x * observation.w,
    className: "term-likelihood",
    onInput: (x) => {
      observation.x = x;
      moved();
    },
  });
  handle(plot, {
    said: "the noise of the observation",
    at: () => [peak() + (inwards() * observation.noise) / observation.w, height() * Math.exp(-0.5)],
    value: () => observation.noise,
    low: LOW,
    high: HIGH,
    to: ({ x }) => Math.abs(x - peak()) * observation.w,
    className: "term-likelihood",
    onInput: (noise) => {
      observation.noise = noise;
      moved();
    },
  });
  handle(plot, {
    said: "the place z",
    at: () => [place.z, 0],
    value: () => place.z,
    low: -REACH,
    high: REACH,
    to: ({ x }) => x,
    onInput: (z) => {
      place.z = z;
      moved();
    },
  });
}

/**
 * The four words of the theorem, and what they are now: at one z, over all z, and for the image in hand.
 */
function glossary() {
  const head = ["", "", "at this z", "area over z", "of image, nats"];
  const rows = WORDS.map(({ name, sign, title, says, isExact }) => {
    const cell = (/** @type {string} */ value, /** @type {string} */ kind) => {
      const output = make("output", {}, "–");
      output.dataset.value = value;
      const node = make("td", {}, output);
      node.dataset.kind = kind;
      if (kind === "exact") node.title = "Known exactly only in two dimensions or for a linear model.";
      return node;
    };
    const node = make(
      "tr",
      { className: `term-${name}` },
      make("td", { className: "live-sign" }, sign),
      make("th", { scope: "row" }, title, make("small", {}, says)),
      cell(name, "general"),
      cell(`area_${name}`, "general"),
      cell(`log_${name}`, isExact ? "exact" : "general"),
    );
    return node;
  });
  const titles = make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)));
  const table = make("table", { className: "live-words" }, make("thead", {}, titles));
  table.append(make("tbody", {}, ...rows));
  return table;
}

const WORDS = [
  { name: "prior", sign: "", title: "prior p(z)", says: "z before x is seen", isExact: false },
  { name: "likelihood", sign: "×", title: "likelihood p(x|z)", says: "how well z explains x", isExact: false },
  { name: "evidence", sign: "÷", title: "evidence p(x)", says: "how likely x is at all", isExact: true },
  { name: "posterior", sign: "=", title: "posterior p(z|x)", says: "z once x is seen", isExact: true },
];

/**
 * Shows what follows from the observation.
 *
 * @param {Frame} frame
 * @param {ReturnType<typeof bayes>} now
 * @param {number} z
 */
function tell(frame, now, z) {
  const areas = Object.entries(now.areas).map(([name, area]) => [`area_${name}`, significant(area)]);
  const here = CURVES.map((name) => [name, significant(now[name](z))]);
  frame.show({
    ...Object.fromEntries([...areas, ...here]),
    evidence: significant(now.evidence),
    joint: significant(now.joint(z)),
  });
}
