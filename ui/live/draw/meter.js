// The meter: reconstruction − KL = ELBO, ELBO + gap = log p(x), as lengths on one common scale that add up.

import { make, minus, scaleEnds } from "../shared/page.js";
import { offerValue } from "../words/values.js";
import { digitsThatAdd, scale, sum } from "./scale.js";

/** @import { Description, Terms } from "../shared/types.js" */
/** @typedef {ReturnType<typeof row>} Row */
/** @typedef {ReturnType<typeof scale>} Scale */

/**
 * exact: whether log_px is log p(x) itself, and no estimate from below; how: where it is from, in words.
 *
 * @typedef {{ log_px: number | null, exact: boolean, how: string }} Evidence
 * @typedef {Terms & Evidence} Weighed
 * @typedef {{ encoder: number | null, best: number | null }} Split the ELBOs of the encoder's q and of the refined one
 */

const NONE = "–"; // in place of a number
const SCORE = "s(x) is the integral of p(z) e^(−cross-entropy) over z: for grey pixels that is not a probability.";

/** The meter, empty. */
export function meter() {
  const { rows, parts } = lines();
  const axis = scaleEnds();
  const body = make("tbody", {}, ...[...Object.values(rows), ...Object.values(parts)].map(({ node: line }) => line));
  const node = make(
    "div",
    { className: "live-meter", id: "meter" },
    make("table", { className: "live-terms" }, body),
    axis.node,
  );

  /** @type {Description["evidence"]} */
  let name = "log p(x)";

  /**
   * Takes what the model calls the evidence: "log p(x)", or "log s(x)" of grey pixels under a Bernoulli likelihood.
   *
   * @param {Description["evidence"]} evidence
   */
  function about(evidence) {
    name = evidence;
    rows.evidence.node.title = evidence === "log p(x)" ? "" : SCORE;
    clear();
  }

  function clear() {
    for (const { output, bar } of Object.values(rows)) {
      output.textContent = NONE;
      bar.hidden = true;
    }
    for (const part of Object.values(parts)) part.node.hidden = true;
    rows.elbo.note.textContent = `at most ${name}`;
    call(rows.evidence.title, name, true);
    rows.evidence.note.textContent = "";
    axis.node.style.visibility = "hidden";
  }

  /**
   * @param {Weighed} terms
   * @param {Split | null} split null before there is a refined q
   */
  function show(terms, split) {
    const { reconstruction_term: reconstruction, kl, elbo, log_px: evidence } = terms;
    const { encoder, best } = split ?? { encoder: null, best: null };
    const { gap, amortization, approximation, digits } = figures(terms, split);
    const at = scale([reconstruction, elbo, evidence, encoder, best]);
    const put = putter(at, digits ?? 1);
    put(rows.reconstruction, reconstruction, at.base, reconstruction);
    put(rows.kl, kl, reconstruction, elbo);
    put(rows.elbo, elbo, at.base, elbo);
    put(rows.gap, gap, elbo, evidence);
    put(rows.evidence, evidence, at.base, evidence);
    for (const { sign } of [rows.elbo, rows.evidence]) sign.textContent = digits ? "=" : "≈";
    rows.elbo.note.textContent =
      terms.scatter === null ? `at most ${name}` : `± ${terms.scatter.toFixed(1)} or less, of 64 draws`;
    rows.evidence.note.textContent = terms.how;
    call(rows.evidence.title, name, terms.exact);
    for (const part of Object.values(parts)) part.node.hidden = !split;
    put(parts.amortization, amortization, encoder, best);
    put(parts.approximation, approximation, best, evidence);
    showScale(at);
  }

  /** @param {Scale} at */
  function showScale({ low, high, base }) {
    axis.node.style.visibility = "visible";
    node.classList.toggle("live-cut", base !== 0);
    node.style.setProperty("--toward", base === high ? "to right" : "to left"); // where the totals go on
    axis.low.textContent = minus(`${low}`);
    axis.high.textContent = `${minus(`${high}`)} nats${base === 0 ? "" : " (the scale does not begin at 0)"}`;
  }

  clear();
  return { node, about, show, clear };
}

/** The meter's rows, empty: those that add up to the evidence, and the parts of the gap. */
function lines() {
  const rows = {
    reconstruction: row("", "Reconstruction term", "E log p(x|z) over q, 64 draws"),
    kl: row("−", "KL", "of q from the prior p(z)"),
    elbo: row("=", "ELBO"),
    gap: row("+", "Gap", "of q from the true posterior"),
    evidence: row("=", "log p(x)"),
  };
  const parts = {
    amortization: row("", "amortization gap", "what the encoder loses against the best Gaussian q"),
    approximation: row("", "approximation gap", "what the best Gaussian q loses against p(z|x)"),
  };
  for (const [name, { node, title, output }] of Object.entries({ ...rows, ...parts })) {
    node.dataset.term = name;
    title.dataset.term = name;
    const value = () => (output.textContent === NONE ? "" : output.textContent);
    for (const term of name === "evidence" ? [name, "score", "estimate"] : [name])
      offerValue(term, () => (title.dataset.term === term ? value() : ""), output);
  }
  parts.amortization.node.title = "The gap of the encoder's own q is the sum of these two.";
  return { rows, parts };
}

/**
 * Names the evidence, with a hat where it is an estimate.
 *
 * @param {HTMLElement} title
 * @param {Description["evidence"]} evidence
 * @param {boolean} isExact
 */
function call(title, evidence, isExact) {
  title.textContent = isExact ? evidence : evidence.replace("(", "\u0302(").normalize();
  if (evidence === "log s(x)") title.dataset.term = "score";
  else title.dataset.term = isExact ? "evidence" : "estimate";
}

/**
 * The differences that the meter shows, and with how many digits all that it shows adds up; null where it cannot.
 *
 * @param {Weighed} terms
 * @param {Split | null} split
 */
function figures({ reconstruction_term: reconstruction, kl, elbo, log_px: evidence }, split) {
  const { encoder, best } = split ?? { encoder: null, best: null };
  const gap = sum(evidence, elbo, -1);
  const [amortization, approximation] = [sum(best, encoder, -1), sum(evidence, best, -1)];
  const digits = digitsThatAdd([
    [elbo, kl, reconstruction],
    [elbo, gap, evidence],
    ...(elbo === encoder ? [[amortization, approximation, gap]] : []),
  ]);
  return { gap, amortization, approximation, digits };
}

/**
 * @param {string} sign
 * @param {string} name
 */
function row(sign, name, note = "") {
  const bar = make("i");
  const output = make("output");
  const small = make("small", {}, note);
  const title = make("span", {}, name);
  const before = make("td", {}, sign);
  const node = make(
    "tr",
    {},
    before,
    make("th", {}, title, small),
    make("td", { className: "live-length" }, bar),
    make("td", {}, output),
  );
  return { node, bar, output, sign: before, title, note: small };
}

/**
 * Shows values in their rows, each as a length between two places of the scale.
 *
 * @param {Scale} scale
 * @param {number} digits
 */
function putter({ low, high }, digits) {
  const shown = (/** @type {number | null} */ value) => (value === null ? "not finite" : minus(value.toFixed(digits)));
  return (
    /** @type {Row} */ { bar, output },
    /** @type {number | null} */ value,
    /** @type {number | null} */ from,
    /** @type {number | null} */ to,
  ) => {
    output.textContent = `${shown(value)} nats`;
    const known = from !== null && to !== null;
    const [left, right] = known
      ? [Math.min(from, to), Math.max(from, to)].map((end) => (100 * (end - low)) / (high - low))
      : [0, 0];
    bar.hidden = !known;
    Object.assign(bar.style, { left: `${left}%`, width: `${right - left}%` });
    bar.title = known ? `${shown(from)} to ${shown(to)} nats` : "";
  };
}
