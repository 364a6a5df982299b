// The meter: reconstruction − KL = ELBO, ELBO + gap = log p(x), as lengths on one common scale that add up.

import { make, minus, nats } from "../shared/page.js";

const CUT = 12; // where what is common to all bars is so many times what they differ by, the scale does not begin at 0

/**
 * Terms: {elbo, kl, scatter, log_px, how}, nats; how says where log_px is from. split: {encoder, best}, the ELBOs of
 * the encoder's q and of the refined one, or null before there is one.
 */
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
  const axis = make("div", { className: "live-scale" }, make("span"), make("span"));
  const table = make(
    "table",
    { className: "live-terms" },
    make("tbody", {}, ...[...Object.values(rows), ...Object.values(parts)].map(({ node }) => node)),
  );
  for (const [name, { node }] of Object.entries({ ...rows, ...parts })) node.dataset.term = name;
  parts.amortization.node.title = "The gap of the encoder's own q is the sum of these two.";
  const node = make("div", { className: "live-meter" }, table, axis);

  function clear() {
    for (const { output, bar, note } of Object.values(rows)) {
      output.textContent = "–";
      bar.hidden = true;
    }
    for (const { node } of Object.values(parts)) node.hidden = true;
    rows.elbo.note.textContent = "at most log p(x)";
    rows.evidence.note.textContent = "";
    axis.style.visibility = "hidden";
  }

  function show(terms, split) {
    // Rounded so that they add up on the screen; what that moves is less than the draws' own scatter.
    const [kl, elbo, evidence] = [terms.kl, terms.elbo, terms.log_px].map(tenth);
    const reconstruction = sum(elbo, kl);
    const at = scale([reconstruction, elbo, evidence, ...(split ? [tenth(split.encoder), tenth(split.best)] : [])]);
    put(rows.reconstruction, reconstruction, at, at.base, reconstruction);
    put(rows.kl, kl, at, reconstruction, elbo);
    put(rows.elbo, elbo, at, at.base, elbo);
    put(rows.gap, sum(evidence, elbo, -1), at, elbo, evidence);
    put(rows.evidence, evidence, at, at.base, evidence);
    rows.elbo.note.textContent =
      terms.scatter === null ? "at most log p(x)" : `± ${terms.scatter.toFixed(1)} or less, of 64 draws`;
    rows.evidence.note.textContent = terms.how;
    rows.evidence.title.textContent = terms.how.startsWith("exact") ? "log p(x)" : "log p̂(x)";
    for (const { node } of Object.values(parts)) node.hidden = !split;
    if (split) {
      const [from, best] = [tenth(split.encoder), tenth(split.best)];
      put(parts.amortization, sum(best, from, -1), at, from, best);
      put(parts.approximation, sum(evidence, best, -1), at, best, evidence);
    }
    axis.style.visibility = "visible";
    node.classList.toggle("live-cut", at.base !== 0);
    node.style.setProperty("--toward", at.base === at.high ? "to right" : "to left"); // where the totals go on
    axis.firstChild.textContent = minus(`${at.low}`);
    axis.lastChild.textContent = `${minus(`${at.high}`)} nats${at.base === 0 ? "" : " (the scale does not begin at 0)"}`;
  }

  clear();
  return { node, show, clear };
}

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

function put({ bar, output }, value, { low, high }, from, to) {
  output.textContent = `${nats(value)} nats`;
  const known = [from, to].every((end) => end !== null);
  const [left, right] = known
    ? [Math.min(from, to), Math.max(from, to)].map((end) => (100 * (end - low)) / (high - low))
    : [0, 0];
  bar.hidden = !known;
  Object.assign(bar.style, { left: `${left}%`, width: `${right - left}%` });
  bar.title = known ? `${nats(from)} to ${nats(to)} nats` : "";
}

/** The scale's ends and where its totals begin: 0, unless that is too far off. */
function scale(values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return { low: -1, high: 0, base: 0 };
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const span = Math.max(1, most - least);
  const near = Math.min(Math.abs(least), Math.abs(most));
  if (least * most > 0 && near > CUT * span) {
    const unit = nice(span / 4);
    const [low, high] = [Math.floor(least / unit - 1), Math.ceil(most / unit + 1)].map((count) =>
      Number((unit * count).toPrecision(9)),
    );
    return { low, high, base: most < 0 ? high : low };
  }
  return { low: least < 0 ? -nice(-least) : 0, high: most > 0 ? nice(most) : 0, base: 0 };
}

/** The next number of 1, 1.2, 1.5, 2 … 8 times a power of ten: the scale moves seldom. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return Number(
    (power * ([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8].find((step) => step * power >= value) ?? 10)).toPrecision(3),
  );
}

const tenth = (value) => (value === null || value === undefined ? null : Math.round(value * 10) / 10);
const sum = (a, b, sign = 1) => (a === null || b === null ? null : a + sign * b);
