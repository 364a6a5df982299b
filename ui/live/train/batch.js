// The batch that Step took: its first images, q(z|x) of each, the draw of z, what it decodes to, and what it costs.

import { feed, show } from "../shared/feed.js";
import { answerOf, bytes, make, minus, nats, paint, SIDE } from "../shared/page.js";

const MOST = 24; // dimensions that are drawn; the rest would be too thin

export function mount({ element, server }) {
  const node = element.querySelector(".live");
  const title = make("h4");
  const sum = make("p");
  const table = make("div", { className: "live-batch-images" });
  const legend = make(
    "small",
    {},
    "Bars: μ ± σ of q(z|x) for each latent dimension, left to right, on the scale of ±3 or more. Dot: the draw z = μ + σε. Below it what the draw decodes to, with log p(x|z) and KL in nats.",
  );
  node.append(title, sum, table, legend);
  node.hidden = true;
  let shown = "";

  show(element.parentElement, async () => {
    const { run, batch } = feed;
    const wanted = batch ? `${run} ${batch}` : "";
    if (wanted === shown) return;
    shown = wanted;
    if (!wanted) return void (node.hidden = true);
    const answer = await answerOf(server.batch({ run }));
    if (wanted !== shown || answer.silent) return;
    node.hidden = Boolean(answer.error);
    if (!answer.error) fill({ title, sum, table }, answer);
  });
}

function fill({ title, sum, table }, answer) {
  title.textContent = `Step ${answer.step.toLocaleString("en")}, batch by batch: ${answer.mu.length} of its ${answer.images} images`;
  sum.textContent = `${loss(answer)}, in nats per image · gradient norm ${answer.gradient_norm?.toLocaleString("en", { maximumSignificantDigits: 3 }) ?? "not finite"}${
    answer.clip_norm ? `, made at most ${answer.clip_norm}` : ""
  }`;
  const [x, made] = [bytes(answer.x), bytes(answer.x_hat)];
  const reach = Math.max(
    3,
    ...answer.mu.flatMap((mu, n) =>
      mu.map((m, j) => Math.max(Math.abs(m) + answer.std[n][j], Math.abs(answer.z[n][j]))),
    ),
  );
  table.replaceChildren(
    ...answer.mu.map((mu, n) =>
      make(
        "figure",
        {},
        picture(x, n, "x"),
        posterior(mu, answer.std[n], answer.z[n], reach),
        picture(made, n, "decoded"),
        make(
          "figcaption",
          {},
          make("span", { title: "log p(x|z) of this z" }, nats(answer.log_px_z[n])),
          make("br"),
          make("span", { title: "KL of q(z|x) from the prior" }, `− ${nats(answer.kls[n])}`),
        ),
      ),
    ),
  );
}

/** The loss of the batch, by the formula of what it is trained for. */
function loss({ objective, reconstruction_term, kl, counted_kl, free_bits, beta, loss: value }) {
  const terms = [nats(reconstruction_term === null ? null : -reconstruction_term), nats(kl)];
  if (free_bits)
    return `loss = −reconstruction + β·Σⱼ max(λ, KLⱼ) = ${terms[0]} + ${beta.toPrecision(3)} · ${nats(counted_kl)} → ${nats(value)}, with λ = ${free_bits}; KL ${terms[1]}`;
  if (objective === "elbo")
    return `loss = −reconstruction + β·KL = ${terms[0]} + ${beta.toPrecision(3)} · ${terms[1]} → ${nats(value)}`;
  return `loss = −log mean over the draws of p(x|z) (p(z)/q(z|x))^β = ${nats(value)}, with β = ${beta.toPrecision(3)}; −reconstruction ${terms[0]}, KL ${terms[1]}`;
}

function picture(grey, n, title) {
  const canvas = make("canvas", { title });
  paint(canvas, grey.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE));
  return canvas;
}

const number = (value) => (value === null ? "not finite" : value.toFixed(2));
const SVG = "http://www.w3.org/2000/svg";

function posterior(mu, std, z, reach) {
  const count = Math.min(MOST, mu.length);
  const svg = document.createElementNS(SVG, "svg");
  const add = (tag, attributes) => {
    const part = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
    svg.append(part);
  };
  svg.setAttribute("viewBox", "0 0 96 64");
  const y = (value) => 32 - (value / reach) * 30;
  add("line", { x1: 0, x2: 96, y1: 32, y2: 32, class: "live-axis" });
  for (let j = 0; j < count; j += 1) {
    if ([mu[j], std[j], z[j]].includes(null)) continue; // no finite number
    const x = ((j + 0.5) * 96) / count;
    add("line", {
      x1: x,
      x2: x,
      y1: y(mu[j] - std[j]),
      y2: y(mu[j] + std[j]),
      class: "live-spread",
      "stroke-width": Math.min(8, 60 / count),
    });
    add("circle", { cx: x, cy: y(z[j]), r: Math.min(3, 0.8 + 16 / count), class: "live-draw" });
  }
  const title = document.createElementNS(SVG, "title");
  title.textContent = mu
    .slice(0, count)
    .map((m, j) => minus(`z${j}: μ ${number(m)}, σ ${number(std[j])}, drawn ${number(z[j])}`))
    .join("\n");
  svg.append(title);
  return svg;
}
