// The batch that Step took: its first images, q(z|x) of each, the draw of z, what it decodes to, and what it costs.

import { answerOf, failed } from "../shared/ask.js";
import { feed, show } from "../shared/feed.js";
import { bytes, make, minus, nats, paint, rootOf, SIDE } from "../shared/page.js";
import { svg } from "../shared/svg.js";
import { STATES } from "../shared/vocabulary.js";
import { word } from "../words/word.js";

/** @import { Batch, Component, Q } from "../shared/types.js" */

const MOST = 24; // dimensions that are drawn; the rest would be too thin
const LISTED = 4; // terms of draws that are written out; of more of them the largest and the smallest
const VIEW = 96; // units across a picture of q

/**
 * @param {Batch} batch
 */
function legend({ mu, samples, draws }) {
  const isPlane = mu[0].length === 2;
  const bars = "Bars: μ ± σ of q(z|x) for each latent dimension, left to right, on the scale of ±3 or more. ";
  const q = isPlane ? "Ellipses: q(z|x) at 1 and 2 σ, on a plane of ±3 or more. " : bars;
  const some = draws.length < samples ? `${draws.length} of the ${samples} draws` : `the ${samples} draws`;
  const z = word("reparameterization", "z = μ + σε");
  const [term, kl, unit] = [word("reconstruction", "log p(x|z)"), word("kl", "KL"), word("nat", "nats")];
  if (samples === 1)
    return [q, "Dot: the draw ", z, ". Below it what the draw decodes to, with ", term, " and ", kl, " in ", unit, "."];
  const below = ". Below them what the first draw decodes to, ";
  return [
    q,
    `Dots: ${some} `,
    z,
    below,
    term,
    " of each draw, under the line its mean over all of them, and ",
    kl,
    " in ",
    unit,
    ".",
  ];
}

/**
 * The last single batch of the followed run.
 *
 * @param {Component<unknown, "batch">} component
 */
export function mount({ element, server }) {
  const node = rootOf(element);
  const view = layout();
  const message = make("div", { className: "live-message", role: "status" });
  node.append(message, view.fold);
  node.hidden = true;
  let shown = ""; // the batch that is shown, or asked for
  let step = Infinity; // of the one that is shown

  const look = async () => {
    const { run, batch, state, progress } = feed;
    const wanted = batch ? `${run} ${batch}` : "";
    if (wanted === shown) {
      if (STATES[state]?.going && progress && progress.step > step) {
        view.fold.open = false; // the run has gone on
        step = Infinity; // whoever opens it again wants it open
      }
      return;
    }
    shown = wanted;
    step = Infinity;
    if (!wanted) {
      node.hidden = true;
      return;
    }
    const answer = await answerOf(server.batch({ run }));
    if (wanted !== shown) return;
    node.hidden = false;
    view.fold.hidden = failed(answer);
    message.hidden = !failed(answer);
    message.textContent = failed(answer) ? `The batch did not come. ${answer.error}` : "";
    if (failed(answer)) {
      if (answer.silent) shown = ""; // the next look asks again
      return;
    }
    fill(view, answer);
    view.fold.open = (feed.progress?.step ?? 0) <= answer.step;
    step = view.fold.open ? answer.step : Infinity;
  };
  show(element.parentElement ?? element, look);
}

function layout() {
  const view = {
    title: make("h4"),
    sum: make("p"),
    table: make("div", { className: "live-batch-images" }),
    legend: make("small"),
  };
  const fold = make("details", {}, make("summary", {}, view.title), view.sum, view.table, view.legend);
  return { ...view, fold };
}

/**
 * @param {ReturnType<typeof layout>} view
 * @param {Batch} answer
 */
function fill(view, answer) {
  const { mu, std, draws, terms, reconstructions } = answer;
  const count = (/** @type {number} */ n) => n.toLocaleString("en");
  view.title.textContent = `Step ${count(answer.step)}, ${mu.length} of the ${count(answer.images)} images of its batch`;
  const norm = answer.gradient_norm?.toLocaleString("en", { maximumSignificantDigits: 3 }) ?? "not finite";
  const clipped = answer.clip_norm ? `, made at most ${answer.clip_norm}` : "";
  view.sum.textContent = `${loss(answer)}, in nats per image · gradient norm ${norm}${clipped}`;
  view.legend.replaceChildren(...legend(answer));
  const [x, made] = [bytes(answer.x), bytes(answer.x_hat)];
  const far = (/** @type {number[]} */ values) => Math.max(0, ...values.map(Math.abs).filter(Number.isFinite));
  const ends = mu.map((each, n) => far(each.map((m, j) => Math.abs(m) + std[n][j])));
  const reach = Math.max(3, ...ends, ...draws.flatMap((draw) => draw.map(far)));
  const figures = mu.map((each, n) => {
    const drawn = draws.map((draw) => draw[n]);
    const q = { mu: each, std: std[n] };
    return make(
      "figure",
      {},
      picture(x, n, "x"),
      each.length === 2 ? onPlane(q, drawn, reach) : alongDimensions(q, drawn, reach),
      picture(made, n, "decoded"),
      caption(
        terms.map((of) => of[n]),
        reconstructions[n],
        answer.kls[n],
      ),
    );
  });
  view.table.replaceChildren(...figures);
}

/**
 * log p(x|z) of the draws, their mean where there are several, and the KL.
 *
 * @param {number[]} terms
 * @param {number} mean
 * @param {number} kl
 */
function caption(terms, mean, kl) {
  const line = (/** @type {string} */ title, /** @type {string} */ text) => make("div", { title }, text);
  const last = line("KL of q(z|x) from the prior", `− ${nats(kl)}`);
  if (terms.length === 1) return make("figcaption", {}, line("log p(x|z) of this z", nats(mean)), last);
  const all = terms.map(nats).join(", ");
  const each =
    terms.length <= LISTED
      ? terms.map((term, l) => line(`log p(x|z) of draw ${l + 1}`, nats(term)))
      : [line(all, `${nats(Math.min(...terms))} to`), line(all, nats(Math.max(...terms)))];
  const average = line("their mean over all draws", nats(mean));
  average.className = "live-mean";
  return make("figcaption", {}, ticks(terms, mean), ...each, average, last);
}

/**
 * The terms of the draws along a line, and their mean.
 *
 * @param {number[]} terms
 * @param {number} mean
 */
function ticks(terms, mean) {
  const [low, high] = [Math.min(...terms), Math.max(...terms)];
  const at = (/** @type {number} */ value) => 4 + ((value - low) / (high - low || 1)) * (VIEW - 8);
  const tick = (/** @type {number} */ value, /** @type {string} */ kind, /** @type {number} */ half) =>
    svg("line", { x1: at(value), x2: at(value), y1: 8 - half, y2: 8 + half, class: kind });
  const known = terms.filter(Number.isFinite);
  return svg(
    "svg",
    { viewBox: `0 0 ${VIEW} 16`, class: "live-terms-of-draws" },
    ...known.map((term) => tick(term, "live-term", 4)),
    ...(Number.isFinite(mean) ? [tick(Math.min(high, Math.max(low, mean)), "live-mean", 8)] : []),
  );
}

/**
 * The loss of the batch, by the formula of what it is trained for.
 *
 * @param {Batch} batch
 */
function loss({ objective, reconstruction_term, kl, counted_kl, free_bits, beta, loss: value }) {
  const distortion = nats(reconstruction_term === null ? null : -reconstruction_term);
  const [rate, weight, total] = [nats(kl), beta.toPrecision(3), nats(value)];
  if (free_bits) {
    const sum = `${distortion} + ${weight} · ${nats(counted_kl)} = ${total} (rounded)`;
    return `loss = −reconstruction + β·Σⱼ max(λ, KLⱼ) = ${sum}, with λ = ${free_bits}; KL ${rate}`;
  }
  if (objective === "elbo")
    return `loss = −reconstruction + β·KL = ${distortion} + ${weight} · ${rate} = ${total} (rounded)`;
  const terms = `with β = ${weight}; −reconstruction ${distortion}, KL ${rate}`;
  return `loss = −log mean over the draws of p(x|z) (p(z)/q(z|x))^β = ${total}, ${terms}`;
}

/**
 * @param {Uint8Array} grey
 * @param {number} n
 * @param {string} title
 */
function picture(grey, n, title) {
  const canvas = make("canvas", { title });
  paint(canvas, grey.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE));
  return canvas;
}

/** @param {number | null} value */
const number = (value) => (value === null ? "not finite" : minus(value.toFixed(2)));

/**
 * μ ± σ of each dimension, and the draws of z.
 *
 * @param {Q} q
 * @param {number[][]} draws
 * @param {number} reach
 */
function alongDimensions({ mu, std }, draws, reach) {
  const count = Math.min(MOST, mu.length);
  const y = (/** @type {number} */ value) => 32 - (value / reach) * 30;
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${VIEW} 64` },
    svg("line", { x1: 0, x2: VIEW, y1: 32, y2: 32, class: "live-axis" }),
  );
  for (let j = 0; j < count; j += 1) {
    if (![mu[j], std[j]].every(Number.isFinite)) continue;
    const x = ((j + 0.5) * VIEW) / count;
    const ends = { x1: x, x2: x, y1: y(mu[j] - std[j]), y2: y(mu[j] + std[j]) };
    const r = Math.min(3, 0.8 + 16 / count);
    drawing.append(
      svg("line", { ...ends, class: "live-spread", "stroke-width": Math.min(8, 60 / count) }),
      ...draws.filter((z) => Number.isFinite(z[j])).map((z) => dot(x, y(z[j]), r)),
    );
  }
  drawing.append(inWords({ mu, std }, draws, count));
  return drawing;
}

/**
 * The ellipses of a q of two dimensions, and the draws of z.
 *
 * @param {Q} q
 * @param {number[][]} draws
 * @param {number} reach
 */
function onPlane({ mu, std }, draws, reach) {
  const scale = (VIEW / 2 - 3) / reach;
  const x = (/** @type {number} */ value) => VIEW / 2 + value * scale;
  const y = (/** @type {number} */ value) => VIEW / 2 - value * scale;
  const middle = VIEW / 2;
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${VIEW} ${VIEW}` },
    svg("line", { x1: 0, x2: VIEW, y1: middle, y2: middle, class: "live-axis" }),
    svg("line", { x1: middle, x2: middle, y1: 0, y2: VIEW, class: "live-axis" }),
  );
  if ([...mu, ...std].every(Number.isFinite))
    for (const sigma of [2, 1]) {
      const [rx, ry] = std.map((s) => sigma * s * scale);
      drawing.append(svg("ellipse", { cx: x(mu[0]), cy: y(mu[1]), rx, ry, class: "live-spread", fill: "none" }));
    }
  drawing.append(
    ...draws.filter((z) => z.every(Number.isFinite)).map((z) => dot(x(z[0]), y(z[1]), 2.5)),
    inWords({ mu, std }, draws, 2),
  );
  return drawing;
}

/**
 * @param {number} cx
 * @param {number} cy
 * @param {number} r
 */
const dot = (cx, cy, r) => svg("circle", { cx, cy, r, class: "live-draw" });

/**
 * @param {Q} q
 * @param {number[][]} draws
 * @param {number} count of dimensions
 */
function inWords({ mu, std }, draws, count) {
  const words = mu.slice(0, count).map((m, j) => {
    const drawn = draws.map((z) => number(z[j])).join(", ");
    return `z${j}: μ ${number(m)}, σ ${number(std[j])}, drawn ${drawn}`;
  });
  return svg("title", {}, words.join("\n"));
}
