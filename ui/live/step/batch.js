// The batch that Step took: its first images, one of them in the machine, with what each of them costs.

import { answerOf, failed } from "../shared/ask.js";
import { feed, show } from "../shared/feed.js";
import { make, nats, rootOf } from "../shared/page.js";
import { STATES } from "../shared/vocabulary.js";
import { word } from "../words/word.js";
import { imagesOf } from "./images.js";
import { OneImage } from "./one.js";
import { figuresOf } from "./row.js";

/** @import { Batch, Component } from "../shared/types.js" */

/**
 * What is drawn and written below the images.
 *
 * @param {Batch} batch
 */
function legend({ mu, samples, draws }) {
  const several = samples > 1;
  const made = `Left x as the model got it, right what ${several ? "its first" : "the"} draw decodes to; press one to see all of it above. `;
  const q =
    mu[0].length === 2
      ? "Ellipses: q(z|x) at 1 and 2 σ, on a plane of ±3 or more. "
      : "Bars: μ ± σ of q(z|x) for each latent dimension, left to right, on the scale of ±3 or more. ";
  const some = draws.length < samples ? `${draws.length} of the ${samples} draws` : `the ${samples} draws`;
  const mean = several ? " of each draw, under the line its mean over all of them," : "";
  return [
    made,
    q,
    several ? `Dots: ${some} ` : "Dot: the draw ",
    word("reparameterization", "z = μ + σε"),
    `. Below ${several ? "them" : "it"} `,
    word("reconstruction", "log p(x|z)"),
    `${mean} and `,
    word("kl", "KL"),
    " in ",
    word("nat", "nats"),
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
    one: new OneImage(),
    row: make("div", { className: "live-batch-images" }),
    legend: make("small"),
  };
  const heading = make("summary", {}, view.title);
  const fold = make("details", {}, heading, view.sum, view.one.node, view.row, view.legend);
  return { ...view, fold };
}

/**
 * @param {ReturnType<typeof layout>} view
 * @param {Batch} answer
 */
function fill(view, answer) {
  const count = (/** @type {number} */ n) => n.toLocaleString("en");
  view.title.textContent = `Step ${count(answer.step)}, ${answer.mu.length} of the ${count(answer.images)} images of its batch`;
  const norm = answer.gradient_norm?.toLocaleString("en", { maximumSignificantDigits: 3 }) ?? "not finite";
  const clipped = answer.clip_norm ? `, made at most ${answer.clip_norm}` : "";
  const stopped =
    answer.gradient === "detached" ? " · detached at z: the encoder’s gradient is that of β·KL alone" : "";
  view.sum.textContent = `${loss(answer)}, in nats per image · gradient norm ${norm}${clipped}${stopped}`;
  view.legend.replaceChildren(...legend(answer));
  view.one.begin(answer.dims);
  view.row.replaceChildren(...figuresOf(imagesOf(answer), (image) => view.one.show(image)));
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
