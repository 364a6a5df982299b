// The meter: reconstruction − KL = ELBO, ELBO + gap = log p(x), as lengths on one common scale that add up.

import { PIXELS } from "../shared/given.js";
import { make, minus, scaleEnds } from "../shared/page.js";
import { offerValue } from "../words/values.js";
import { word } from "../words/word.js";
import { figures } from "./figures.js";
import { lay, putter, row, shower } from "./row.js";
import { scale, sum, widened } from "./scale.js";

/** @import { Description, Terms } from "../shared/types.js" */
/** @import { Bar } from "./row.js" */
/** @import { Scale } from "./scale.js" */

/**
 * exact: whether log_px is log p(x) itself, and no estimate from below; how: where it is from, in words.
 *
 * @typedef {{ log_px: number | null, exact: boolean, how: string }} Evidence
 * @typedef {Terms & Evidence} Weighed
 * @typedef {{ encoder: Terms, best: number | null }} Split the encoder's terms, and the ELBO of the refined q
 */

const NONE = "–"; // in place of a number
const ROOM = 1.5; // gaps by which a better q may raise the reconstruction term
const GAP = "how far q is from the true posterior";
const HOLES = "The encoder was never trained on holes: it sees them filled in by the model, so its q is not the best.";
const SCORE = "s(x) is the integral of p(z) e^(−cross-entropy) over z: for grey pixels that is not a probability.";

/** The meter. */
export class Meter {
  #rows = lines();
  #axis = scaleEnds();
  #sentence = make("p", { className: "live-given", hidden: true }); // which pixels are scored
  /** @type {Description["evidence"]} */
  #name = "log p(x)";
  #x = "x"; // what the model is given, in formulas
  /** @type {Scale | null} */
  #kept = null; // of this image's bars, as long as it holds what is shown

  constructor() {
    const body = make("tbody", {}, ...Object.values(this.#rows).map(({ node }) => node));
    const table = make("table", { className: "live-terms" }, body);
    this.node = make("div", { className: "live-meter" }, table, this.#axis.node, this.#sentence);
    this.clear();
  }

  /**
   * Takes what the model calls the evidence: "log p(x)", or "log s(x)" of grey pixels under a Bernoulli likelihood.
   *
   * @param {Description["evidence"]} evidence
   */
  about(evidence) {
    this.#name = evidence;
    this.#rows.evidence.node.title = evidence === "log p(x)" ? "" : SCORE;
    this.clear();
  }

  /** What is called log p(x): of a part of the image it is that of the part. */
  get evidence() {
    return this.#name.replace("x", this.#x);
  }

  /**
   * Takes what the model is given of the image.
   *
   * @param {number} visible pixels
   * @param {string} x it, in formulas
   */
  take(visible, x) {
    this.#x = x;
    this.#sentence.hidden = visible === PIXELS;
    this.#sentence.textContent = `Scored on the ${visible} of ${PIXELS} pixels that the model was given. ${HOLES}`;
    this.#rows.gap.title.textContent = `Gap = KL(q ‖ p(z|${x}))`;
  }

  clear() {
    this.take(PIXELS, "x");
    this.#kept = null;
    for (const { output, bar, ghost } of Object.values(this.#rows)) {
      output.textContent = NONE;
      bar.hidden = true;
      ghost.hidden = true;
    }
    const { elbo, gap, evidence } = this.#rows;
    gap.note.replaceChildren(GAP);
    elbo.note.textContent = `at most ${this.evidence}`;
    call(evidence.title, this.evidence, true);
    evidence.note.textContent = "";
    this.#axis.node.style.visibility = "hidden";
  }

  /** The next bars are of another image, and may have another scale. */
  rescale() {
    this.#kept = null;
  }

  /**
   * @param {Weighed} terms
   * @param {Split | null} split null before there is a refined q
   */
  show(terms, split) {
    const rows = this.#rows;
    const before = split && { ...split.encoder, log_px: terms.log_px };
    const { shown, amortization, approximation, digits } = figures(terms, split);
    const at = this.#scaleOf(before ? [terms, before] : [terms]);
    const put = putter(at, digits ?? 1);
    const now = bars(shown, at.base);
    const ghosts = before && bars(before, at.base);
    for (const name of NAMES) {
      put(rows[name], now[name]);
      lay(rows[name].ghost, ghosts?.[name], at);
    }
    for (const { sign } of [rows.elbo, rows.evidence]) sign.textContent = digits ? "=" : "≈";
    rows.elbo.note.textContent =
      terms.scatter === null ? `at most ${this.evidence}` : `± ${terms.scatter.toFixed(1)} or less, of 64 draws`;
    rows.gap.note.replaceChildren(...(split ? parts(amortization, approximation, digits ?? 1) : [GAP]));
    rows.evidence.note.textContent = terms.how;
    call(rows.evidence.title, this.evidence, terms.exact);
    this.#showScale(at);
  }

  /**
   * The scale of what is shown: the last one, wider only if it must be, so that bars of one image can be compared. It has
   * room for the bars of a better q.
   *
   * @param {(Terms & { log_px: number | null })[]} shown
   */
  #scaleOf(shown) {
    const values = shown.flatMap((it) => [it.reconstruction_term, it.elbo, it.log_px]);
    const [{ reconstruction_term: reconstruction, elbo, log_px: evidence }] = shown;
    const better = sum(reconstruction, sum(evidence, elbo, -1), ROOM);
    this.#kept = this.#kept ? widened(this.#kept, values) : scale([...values, better]);
    return this.#kept;
  }

  /** @param {Scale} at */
  #showScale({ low, high, base }) {
    this.#axis.node.style.visibility = "visible";
    this.node.classList.toggle("live-cut", base !== 0);
    this.node.style.setProperty("--toward", base === high ? "to right" : "to left"); // where the totals go on
    this.#axis.low.textContent = minus(`${low}`);
    this.#axis.high.textContent = `${minus(`${high}`)} nats${base === 0 ? "" : " (the scale does not begin at 0)"}`;
  }
}

/** @typedef {(typeof NAMES)[number]} Name of a row */

const NAMES = /** @type {const} */ (["reconstruction", "kl", "elbo", "gap", "evidence"]);

/** The meter's rows, empty: they add up to the evidence. */
function lines() {
  const rows = {
    reconstruction: row("", "Reconstruction term", "how well draws of q explain the pixels"),
    kl: row("−", "KL(q ‖ p(z))", "what q costs beyond the prior"),
    elbo: row("=", "ELBO"),
    gap: row("+", "", GAP), // named by what the model is given
    evidence: row("=", "log p(x)"),
  };
  for (const [name, { node, title, output }] of Object.entries(rows)) {
    node.dataset.term = name;
    title.dataset.term = name;
    const value = () => (output.textContent === NONE ? "" : `${output.textContent} nats`);
    for (const term of name === "evidence" ? [name, "score", "estimate"] : [name])
      offerValue(term, () => (title.dataset.term === term ? value() : ""), output);
  }
  return rows;
}

/**
 * The gap of the encoder's q in its two parts, in words.
 *
 * @param {number | null} amortization
 * @param {number | null} approximation
 * @param {number} digits
 */
function parts(amortization, approximation, digits) {
  const shown = shower(digits);
  const whole = shown(sum(amortization, approximation));
  return [
    `the encoder’s gap ${whole} = `,
    word("amortization", "amortization"),
    ` ${shown(amortization)} + `,
    word("approximation", "approximation"),
    ` ${shown(approximation)}`,
  ];
}

/**
 * The bar of each row.
 *
 * @param {Terms & { log_px: number | null }} terms
 * @param {number} base where totals begin
 * @returns {Record<Name, Bar>}
 */
function bars({ reconstruction_term: reconstruction, kl, elbo, log_px: evidence }, base) {
  const total = (/** @type {number | null} */ value) => ({ value, from: base, to: value });
  return {
    reconstruction: total(reconstruction),
    kl: { value: kl, from: reconstruction, to: elbo },
    elbo: total(elbo),
    gap: { value: sum(evidence, elbo, -1), from: elbo, to: evidence },
    evidence: total(evidence),
  };
}

/**
 * Names the evidence, with a hat where it is an estimate.
 *
 * @param {HTMLElement} title
 * @param {string} evidence
 * @param {boolean} isExact
 */
function call(title, evidence, isExact) {
  title.textContent = isExact ? evidence : evidence.replace("(", "\u0302(").normalize();
  if (evidence.startsWith("log s")) title.dataset.term = "score";
  else title.dataset.term = isExact ? "evidence" : "estimate";
}
