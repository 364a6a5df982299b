// The batch that Step took: its first images, q(z|x) of each, the draw of z, what it decodes to, and what it costs.

import { answerOf, failed } from "../shared/ask.js";
import { feed, show } from "../shared/feed.js";
import { bytes, make, minus, nats, paint, rootOf, SIDE } from "../shared/page.js";
import { svg } from "../shared/svg.js";
import { word } from "../words/word.js";

/** @import { Batch, Component } from "../shared/types.js" */

const MOST = 24; // dimensions that are drawn; the rest would be too thin
const legend = () => [
  ...[
    "Bars: μ ± σ of ",
    word("encoder", "q(z|x)"),
    " for each latent dimension, left to right, on the scale of ±3 or ",
  ],
  ...["more. Dot: the draw ", word("reparameterization", "z = μ + σε"), ". Below it what the draw decodes to, with "],
  ...[word("reconstruction", "log p(x|z)"), " and ", word("kl", "KL"), " in ", word("nat", "nats"), "."],
];

/**
 * The last single batch of the followed run.
 *
 * @param {Component<unknown, "batch">} component
 */
export function mount({ element, server }) {
  const node = rootOf(element);
  const view = { title: make("h4"), sum: make("p"), table: make("div", { className: "live-batch-images" }) };
  const message = make("div", { className: "live-message", role: "status" });
  const content = make("div", {}, view.title, view.sum, view.table, make("small", {}, ...legend()));
  node.append(message, content);
  node.hidden = true;
  let shown = "";

  const look = async () => {
    const { run, batch } = feed;
    const wanted = batch ? `${run} ${batch}` : "";
    if (wanted === shown) return;
    shown = wanted;
    if (!wanted) {
      node.hidden = true;
      return;
    }
    const answer = await answerOf(server.batch({ run }));
    if (wanted !== shown) return;
    node.hidden = false;
    content.hidden = failed(answer);
    message.hidden = !failed(answer);
    message.textContent = failed(answer) ? `The batch did not come. ${answer.error}` : "";
    if (!failed(answer)) fill(view, answer);
    else if (answer.silent) shown = ""; // the next look asks again
  };
  show(element.parentElement ?? element, look);
}

/**
 * @param {{ title: HTMLElement, sum: HTMLElement, table: HTMLElement }} view
 * @param {Batch} answer
 */
function fill({ title, sum, table }, answer) {
  const { mu, std, z } = answer;
  const step = answer.step.toLocaleString("en");
  title.textContent = `Step ${step}, batch by batch: ${mu.length} of its ${answer.images} images`;
  const norm = answer.gradient_norm?.toLocaleString("en", { maximumSignificantDigits: 3 }) ?? "not finite";
  const clipped = answer.clip_norm ? `, made at most ${answer.clip_norm}` : "";
  sum.textContent = `${loss(answer)}, in nats per image · gradient norm ${norm}${clipped}`;
  const [x, made] = [bytes(answer.x), bytes(answer.x_hat)];
  const furthest = mu.flatMap((each, n) => each.map((m, j) => Math.max(Math.abs(m) + std[n][j], Math.abs(z[n][j]))));
  const reach = Math.max(3, ...furthest);
  const figures = mu.map((each, n) =>
    make(
      "figure",
      {},
      picture(x, n, "x"),
      posterior(each, std[n], z[n], reach),
      picture(made, n, "decoded"),
      make(
        "figcaption",
        {},
        make("span", { title: "log p(x|z) of this z" }, nats(answer.log_px_z[n])),
        make("br"),
        make("span", { title: "KL of q(z|x) from the prior" }, `− ${nats(answer.kls[n])}`),
      ),
    ),
  );
  table.replaceChildren(...figures);
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
    const sum = `${distortion} + ${weight} · ${nats(counted_kl)} → ${total}`;
    return `loss = −reconstruction + β·Σⱼ max(λ, KLⱼ) = ${sum}, with λ = ${free_bits}; KL ${rate}`;
  }
  if (objective === "elbo") return `loss = −reconstruction + β·KL = ${distortion} + ${weight} · ${rate} → ${total}`;
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
const number = (value) => (value === null ? "not finite" : value.toFixed(2));

/**
 * μ ± σ of each dimension, and the draw of z.
 *
 * @param {number[]} mu
 * @param {number[]} std
 * @param {number[]} z
 * @param {number} reach
 */
function posterior(mu, std, z, reach) {
  const count = Math.min(MOST, mu.length);
  const y = (/** @type {number} */ value) => 32 - (value / reach) * 30;
  const words = mu
    .slice(0, count)
    .map((m, j) => minus(`z${j}: μ ${number(m)}, σ ${number(std[j])}, drawn ${number(z[j])}`));
  const picture = svg(
    "svg",
    { viewBox: "0 0 96 64" },
    svg("line", { x1: 0, x2: 96, y1: 32, y2: 32, class: "live-axis" }),
  );
  for (let j = 0; j < count; j += 1) {
    if (![mu[j], std[j], z[j]].every(Number.isFinite)) continue;
    const x = ((j + 0.5) * 96) / count;
    const ends = { x1: x, x2: x, y1: y(mu[j] - std[j]), y2: y(mu[j] + std[j]) };
    picture.append(
      svg("line", { ...ends, class: "live-spread", "stroke-width": Math.min(8, 60 / count) }),
      svg("circle", { cx: x, cy: y(z[j]), r: Math.min(3, 0.8 + 16 / count), class: "live-draw" }),
    );
  }
  picture.append(svg("title", {}, words.join("\n")));
  return picture;
}
