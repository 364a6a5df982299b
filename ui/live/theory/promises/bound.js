// −reconstruction + β KL of the image in hand against −log p(x): a bound for β ≥ 1, and none below (T18).

import { answerOf, failed } from "../../shared/ask.js";
import { model } from "../../shared/model.js";
import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { exactHere } from "../parts/numbers.js";
import { LEFT, Plot } from "../parts/plot.js";
import { strip } from "../parts/strip.js";

/** @import { Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */
/** @import { Numbers } from "../parts/numbers.js" */
/** @import { Given, Part } from "./promises.js" */
/** @typedef {{ distortion: number, kl: number, surprise: number }} Loss −reconstruction, KL, −log p(x) of an image */

const MOST = 4; // β

/** @type {Part} */
export const bound = {
  title: "β",
  claim: "With β > 1 the loss is a looser bound on −log p(x). With β < 1 it is none: a good q brings it below that.",
  rows: [
    { name: "distortion", title: "−reconstruction", term: "reconstruction", kind: "general" },
    { name: "weighed", title: "β · KL", sign: "+", term: "kl", kind: "general" },
    { name: "bound", title: "the loss", sign: "=", term: "elbo", kind: "general" },
    { name: "surprise", title: "−log p(x)", term: "evidence", kind: "exact" },
    { name: "above", title: "the loss is above it by", kind: "exact" },
  ],
  build,
};

/**
 * The loss of an image by β.
 *
 * @param {Loss} loss
 * @param {number} beta
 */
export const lossAt = ({ distortion, kl }, beta) => distortion + beta * kl;

/** @param {Given} given */
function build({ frame, place, numbers, acted }) {
  /** @type {Loss | null} */
  let loss = null;
  let beta = 2;
  const plot = new Plot({
    x: [0, MOST], y: [0, 1], ratio: 0.88, left: LEFT, ticks: [0, 1, 2, 3, 4], xTitle: "β", label: "the loss over β",
  }); // biome-ignore format: one line
  const verdict = make("p", { className: "live-found" });
  lines(plot, () => loss);
  const show = () => {
    if (!loss) return;
    plot.draw();
    const value = lossAt(loss, beta);
    const above = value - loss.surprise;
    frame.show({
      distortion: loss.distortion, weighed: beta * loss.kl, bound: value, surprise: loss.surprise, above,
    }); // biome-ignore format: one line
    verdict.textContent = said(beta, above);
  };
  handle(plot, {
    said: "β", at: () => [beta, loss ? lossAt(loss, beta) : 0], value: () => beta, low: 0, high: MOST,
    to: ({ x }) => x, className: "term-elbo",
    onInput: (value) => {
      beta = value;
      acted();
      show();
    },
  }); // biome-ignore format: one line a kind
  const take = (/** @type {Loss | null} */ other) => {
    loss = other;
    if (loss) plot.y = axisOf(loss);
    show();
  };
  const best = bestQ(frame, take);
  frame.image.onChange((known) => {
    best.take(known);
    mark(numbers, Boolean(known?.exact || known?.looked.exact));
    if (!loss) verdict.textContent = "Choose an image whose terms are finite.";
  });
  const left = make("div", {}, plot.node, verdict, best.node);
  place.append(make("div", { className: "live-with-strip" }, left, strip(frame)));
  return { shown: show };
}

/**
 * Says whether log p(x) is known of this model, or estimated by importance sampling.
 *
 * @param {Numbers} numbers
 * @param {boolean} isExact
 */
function mark(numbers, isExact) {
  for (const name of ["surprise", "above"]) {
    const row = numbers.node.querySelector(`[data-value=${name}]`)?.closest("tr");
    const kind = row?.querySelector(".live-kind");
    if (row) row.dataset.kind = isExact ? "exact" : "general";
    if (kind) kind.replaceChildren(isExact ? exactHere() : "estimate");
  }
}

/**
 * The terms of the image in hand; null where one of them is not finite.
 *
 * @param {Known} known
 * @returns {Loss | null}
 */
function lossOf({ looked, exact }) {
  const { reconstruction_term: reconstruction, kl } = looked;
  const evidence = exact?.log_px ?? looked.log_px;
  if (reconstruction === null || kl === null || evidence === null) return null;
  return { distortion: -reconstruction, kl, surprise: -evidence };
}

/**
 * A button for the best q of an image and back to the encoder's: `node`; take(known) is told of another image.
 *
 * @param {Frame} frame
 * @param {(loss: Loss | null) => void} told
 */
function bestQ(frame, told) {
  /** @type {Known | null} */
  let image = null;
  let isBest = false;
  const node = make("button", { type: "button" });
  const name = () => {
    node.textContent = isBest ? "Back to the encoder’s q" : "Find the best q";
  };
  node.onclick = async () => {
    if (!image) return;
    const known = image;
    const found = isBest ? lossOf(known) : await refined(frame, known);
    if (known !== image || !found) return;
    isBest = !isBest;
    told(found);
    name();
  };
  const take = (/** @type {Known | null} */ known) => {
    image = known;
    isBest = false;
    name();
    told(known && lossOf(known));
  };
  name();
  return { node, take };
}

/**
 * The terms with the best q of the image, in place of the encoder's; null where it was not found.
 *
 * @param {Frame} frame
 * @param {Known} known
 */
async function refined(frame, known) {
  const answer = await answerOf(frame.server.refine({ model: model.id, image: known.seen }));
  if (failed(answer)) frame.say(answer.error);
  const last = failed(answer) ? null : answer.path[answer.path.length - 1];
  return last && lossOf({ ...known, looked: { ...known.looked, ...last } });
}

/**
 * @param {Loss} loss
 * @returns {[number, number]}
 */
function axisOf(loss) {
  const ends = [loss.distortion, lossAt(loss, MOST), loss.surprise];
  const room = 0.12 * Math.max(1, Math.max(...ends) - Math.min(...ends));
  return [Math.min(...ends) - room, Math.max(...ends) + room];
}

/**
 * @param {number} beta
 * @param {number} above
 */
function said(beta, above) {
  const by = `${minus(Math.abs(above).toFixed(1))} nats`;
  if (above < 0) return `β = ${beta.toFixed(2)}: the loss lies ${by} below −log p(x). It bounds nothing.`;
  if (beta === 0) return `Even β = 0 stays ${by} above: this q leaves a larger gap than its KL. Find the best q.`;
  if (beta < 1) return `β = ${beta.toFixed(2)}: here still ${by} above, but below 1 nothing guarantees that.`;
  return `β = ${beta.toFixed(2)}: a bound, ${by} above −log p(x)${beta > 1 ? "; at β = 1 it is tightest" : ""}.`;
}

/**
 * The line of the loss, that of −log p(x), and between them the part that is no bound.
 *
 * @param {Plot} plot
 * @param {() => Loss | null} lossNow
 */
function lines(plot, lossNow) {
  plot.valueAxis("nats");
  const band = svg("path", { class: "live-band" });
  const line = svg("path", { class: "live-curve term-elbo" });
  const truth = svg("path", { class: "live-curve term-evidence" });
  const one = svg("line", { class: "live-now" });
  const name = svg("text", { class: "term-evidence", "text-anchor": "end" }, "−log p(x)");
  const none = svg("text", { class: "term-gap" }, "no bound");
  plot.layer.append(band, one, truth, line, name, none);
  plot.add(() => {
    const loss = lossNow();
    if (!loss) return;
    const cross = Math.max(0, Math.min(MOST, (loss.surprise - loss.distortion) / Math.max(1e-9, loss.kl)));
    set(band, {
      d: `${plot.through([[0, loss.surprise], [cross, loss.surprise], [0, loss.distortion]])}Z`,
    }); // biome-ignore format: one line
    const ends = [0, MOST].map((beta) => /** @type {[number, number]} */ ([beta, lossAt(loss, beta)]));
    set(line, { d: plot.through(ends) });
    set(truth, { d: plot.through([[0, loss.surprise], [MOST, loss.surprise]]) }); // biome-ignore format: one line
    set(one, { x1: plot.px(1), x2: plot.px(1), y1: 24, y2: plot.height - 34 });
    set(name, { x: plot.width - 12, y: plot.py(loss.surprise) - 8 });
    set(none, { x: plot.px(0) + 6, y: plot.py(loss.distortion) + 20, display: cross > 0 ? "inline" : "none" });
  });
}
