// Evidence = ELBO + gap: q to drag over the plane, and the three numbers that add up, each computed by itself (T6, T14).

import { useModelIn } from "../../page/leads.js";
import { model } from "../../shared/model.js";
import { make, minus } from "../../shared/page.js";
import { Numbers } from "../parts/numbers.js";
import { beside } from "./beside.js";
import { Hand } from "./hand.js";
import { scaleAround } from "./lengths.js";
import { PLANES } from "./teachers.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Scale } from "../../meter/scale.js" */
/** @import { Terms } from "../../q/weigh.js" */

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "reconstruction", title: "reconstruction", term: "reconstruction", kind: "general" },
  { name: "kl", title: "KL(q ‖ p(z))", sign: "−", term: "kl", kind: "general" },
  { name: "elbo", title: "ELBO", sign: "=", term: "elbo", kind: "general" },
  { name: "gap", title: "gap", sign: "+", term: "gap", kind: "exact" },
  { name: "log_px", title: "log p(x)", sign: "=", term: "evidence", kind: "exact" },
];

/** @type {Build} */
export function build(frame) {
  const numbers = new Numbers(frame, ROWS, { bars: true });
  frame.numbers.append(missing(), chooser(frame));
  /** @type {Scale | null} */
  let scale = null;
  const side = beside(frame, [
    ["live-of-q", "q(z|x), 1 and 2 $\\sigma$"],
    ["live-of-posterior", "p(z|x), exact"],
  ]);
  const hand = new Hand(frame, {
    weighed(terms, log_px) {
      show(frame, terms, log_px);
      scale = scaleAround(scale, [terms.reconstruction, terms.elbo, log_px]);
      lay(numbers, scale, terms, log_px);
    },
    begun() {
      scale = null;
      frame.show({ gap: "", log_px: "", misses: "" });
    },
    moved: () => frame.done(),
    found: () => frame.done(),
    shown: (q) => side.of(q),
    over: (grey) => side.over(grey),
  });
  frame.buttons.prepend(hand.best, hand.back);
  frame.picture.append(make("div", { className: "live-with-plane" }, hand.map.node, side.node));
  return { shown: () => hand.wake() };
}

/** Says how well the two parts, each computed by itself, add up. */
function missing() {
  const output = make("output", {}, "–");
  output.dataset.value = "misses";
  const says = " nats; the gap is a KL of its own, on a grid.";
  return make("p", { className: "live-misses" }, "ELBO + gap misses log p(x) by ", output, says);
}

/**
 * @param {Frame} frame
 * @param {Terms} terms
 * @param {number | null} log_px
 */
function show(frame, { reconstruction, kl, elbo, gap, misses }, log_px) {
  const off = misses === null ? "" : minus(Math.abs(misses).toFixed(3));
  frame.show({ reconstruction, kl, minus_kl: -kl, elbo, gap: gap ?? "", log_px: log_px ?? "", misses: off });
}

/**
 * @param {Numbers} numbers
 * @param {Scale} at
 * @param {Terms} terms
 * @param {number | null} log_px
 */
function lay(numbers, at, { reconstruction, elbo }, log_px) {
  const known = log_px ?? Number.NaN;
  numbers.layOn(at, {
    reconstruction: { from: at.base, to: reconstruction },
    kl: { from: reconstruction, to: elbo },
    elbo: { from: at.base, to: elbo },
    gap: { from: elbo, to: known },
    log_px: { from: at.base, to: known },
  });
}

/**
 * The second handle: the model, which alone moves the total.
 *
 * @param {Frame} frame
 */
function chooser(frame) {
  /** @type {{ id: string, seen: string, log_px: number } | null} */
  let last = null; // that was known
  const was = make("small");
  const buttons = Object.entries(PLANES).map(([id, title]) => {
    const button = make("button", { type: "button", className: "live-choice" }, title);
    button.onclick = () => {
      if (model.id !== id) useModelIn("theory", id);
    };
    return { id, button };
  });
  frame.image.onChange((known) => {
    if (!known) return;
    for (const { id, button } of buttons) button.ariaPressed = String(id === model.id);
    const log_px = known.exact?.log_px ?? null;
    if (log_px === null) return;
    const [{ id, seen }, now] = [last ?? { id: "", seen: "" }, known.seen];
    if (seen !== now) was.textContent = "";
    else if (last && id !== model.id)
      was.textContent = `log p(x) was ${minus(last.log_px.toFixed(2))} under the other. Every tab uses this model now.`;
    last = { id: model.id, seen: now, log_px };
  });
  const head = make("span", {}, "q moves the split; the model moves the total:");
  return make("div", { className: "live-models" }, head, ...buttons.map(({ button }) => button), was);
}
