// The meter: reconstruction − KL = ELBO, ELBO + gap = log p(x), as lengths on one common scale that add up.

import { make, minus, nats, scaleEnds } from "../shared/page.js";
import { scale, sum, tenth } from "./scale.js";

/** @import { Terms } from "../shared/types.js" */
/** @typedef {ReturnType<typeof row>} Row */
/** @typedef {ReturnType<typeof scale>} Scale */

/**
 * how: where log_px is from.
 *
 * @typedef {Pick<Terms, "elbo" | "kl" | "scatter"> & { log_px: number | null, how: string }} Weighed
 * @typedef {{ encoder: number | null, best: number | null }} Split the ELBOs of the encoder's q and of the refined one
 */

/** The meter, empty. */
export function meter() {
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
  const all = Object.entries({ ...rows, ...parts });
  for (const [name, { node: line }] of all) line.dataset.term = name;
  parts.amortization.node.title = "The gap of the encoder's own q is the sum of these two.";
  const axis = scaleEnds();
  const body = make("tbody", {}, ...all.map(([, { node: line }]) => line));
  const node = make("div", { className: "live-meter" }, make("table", { className: "live-terms" }, body), axis.node);

  function clear() {
    for (const { output, bar } of Object.values(rows)) {
      output.textContent = "–";
      bar.hidden = true;
    }
    for (const part of Object.values(parts)) part.node.hidden = true;
    rows.elbo.note.textContent = "at most log p(x)";
    rows.evidence.note.textContent = "";
    axis.node.style.visibility = "hidden";
  }

  /**
   * @param {Weighed} terms
   * @param {Split | null} split null before there is a refined q
   */
  function show(terms, split) {
    // Rounded so that they add up on the screen; what that moves is less than the draws' own scatter.
    const [kl, elbo, evidence] = [terms.kl, terms.elbo, terms.log_px].map(tenth);
    const [encoder, best] = [tenth(split?.encoder), tenth(split?.best)];
    const reconstruction = sum(elbo, kl);
    const at = scale([reconstruction, elbo, evidence, encoder, best]);
    put(rows.reconstruction, reconstruction, at, at.base, reconstruction);
    put(rows.kl, kl, at, reconstruction, elbo);
    put(rows.elbo, elbo, at, at.base, elbo);
    put(rows.gap, sum(evidence, elbo, -1), at, elbo, evidence);
    put(rows.evidence, evidence, at, at.base, evidence);
    rows.elbo.note.textContent =
      terms.scatter === null ? "at most log p(x)" : `± ${terms.scatter.toFixed(1)} or less, of 64 draws`;
    rows.evidence.note.textContent = terms.how;
    rows.evidence.title.textContent = terms.how.startsWith("exact") ? "log p(x)" : "log p̂(x)";
    for (const part of Object.values(parts)) part.node.hidden = !split;
    if (split) {
      put(parts.amortization, sum(best, encoder, -1), at, encoder, best);
      put(parts.approximation, sum(evidence, best, -1), at, best, evidence);
    }
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
  return { node, show, clear };
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
  const node = make(
    "tr",
    {},
    make("td", {}, sign),
    make("th", {}, title, small),
    make("td", { className: "live-length" }, bar),
    make("td", {}, output),
  );
  return { node, bar, output, title, note: small };
}

/**
 * Shows a value in its row, as a length between two places of the scale.
 *
 * @param {Row} row
 * @param {number | null} value
 * @param {Scale} scale
 * @param {number | null} from
 * @param {number | null} to
 */
function put({ bar, output }, value, { low, high }, from, to) {
  output.textContent = `${nats(value)} nats`;
  const known = from !== null && to !== null;
  const [left, right] = known
    ? [Math.min(from, to), Math.max(from, to)].map((end) => (100 * (end - low)) / (high - low))
    : [0, 0];
  bar.hidden = !known;
  Object.assign(bar.style, { left: `${left}%`, width: `${right - left}%` });
  bar.title = known ? `${nats(from)} to ${nats(to)} nats` : "";
}
