// The same ELBO from different models: latent space turned, with the encoder and the decoder turned along.

import { colourOf } from "../../map/colours.js";
import { failed } from "../../shared/ask.js";
import { model } from "../../shared/model.js";
import { make } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { meansOf } from "../../space/means.js";
import { Slider } from "../parts/slider.js";
import { Square } from "./square.js";
import { covariance, fullKl, ownKl, turned } from "./turn.js";

/** @import { Known } from "../image.js" */
/** @import { Means } from "../../shared/types.js" */
/** @import { Given, Part } from "./promises.js" */

const DOTS = 2000; // test images, at most
const SHOWN = 0.995; // share of the coordinates that the square holds
const HALF = 3.6; // of the square's side, at least, in standard deviations

/** @type {Part} */
export const rotation = {
  title: "Rotate z",
  claim: "Turn latent space, and the encoder and decoder with it: another model, the same ELBO for every image.",
  rows: [
    { name: "turned_reconstruction", title: "reconstruction", term: "reconstruction", kind: "general" },
    { name: "turned_kl", title: "KL(q ‖ p), all dimensions", sign: "−", term: "kl", kind: "general" },
    { name: "turned_elbo", title: "ELBO", sign: "=", term: "elbo", kind: "general" },
    { name: "turned_first", title: "KL, horizontal axis alone", kind: "general" },
    { name: "turned_second", title: "KL, vertical axis alone", kind: "general" },
  ],
  build,
};

/** @param {Given} given */
function build({ frame, place, acted }) {
  const square = new Square("means of q(z|x) of test images", HALF);
  const ellipse = svg("ellipse", { class: "live-ellipse" });
  square.layer.append(ellipse);
  const note = make("p", { className: "live-found" });
  /** @type {Means | null} */
  let means = null;
  /** @type {Known | null} */
  let known = null;
  const slider = new Slider({
    label: "rotation, degrees", said: "rotation of z, degrees", low: -180, high: 180, value: 0, step: 1, digits: 0,
    onInput: () => {
      acted();
      show();
    },
  }); // biome-ignore format: one line a kind
  const show = () => {
    if (!known) return;
    const angle = (slider.value * Math.PI) / 180;
    const dims = known.about.dims.slice(0, 2).map(({ index }) => index);
    if (dims.length < 2) {
      note.textContent = "This model has one dimension: there is nothing to turn. Choose another model above.";
      return;
    }
    const { mu, std } = standard(known, dims);
    const at = turned(mu, angle);
    const full = covariance(std, angle);
    draw(square, means, dims, known, angle);
    const radius = (/** @type {number} */ s) => Math.max(6, s * square.unit);
    const [cx, cy] = [square.px(at[0]), square.py(at[1])];
    set(ellipse, { cx, cy, rx: radius(std[0]), ry: radius(std[1]), transform: `rotate(${-slider.value} ${cx} ${cy})` });
    const rest = known.looked.kl_per_dim.reduce((sum, kl, j) => sum + (dims.includes(j) ? 0 : kl), 0);
    const kl = rest + fullKl(at, full);
    const reconstruction = known.looked.reconstruction_term;
    frame.show({
      turned_reconstruction: reconstruction, turned_kl: kl,
      turned_elbo: reconstruction === null ? null : reconstruction - kl,
      turned_first: ownKl(at[0], full.xx), turned_second: ownKl(at[1], full.yy),
    }); // biome-ignore format: one line a kind
    note.textContent = "Only the sum stays: what a single dimension “means” is not decided by the ELBO.";
  };
  frame.image.onChange(async (now, isOther) => {
    known = now;
    show();
    if (!now || !isOther) return;
    const answer = await meansOf(model.id);
    means = failed(answer) ? null : answer;
    show();
  });
  place.append(square.node, slider.node, note);
  return { shown: show };
}

/**
 * The encoder's q over two dimensions, in standard deviations of the prior about its mean.
 *
 * @param {Known} known
 * @param {number[]} dims
 */
function standard({ q, about: { prior_mean: mean, prior_std: scale } }, dims) {
  return { mu: dims.map((j) => (q.mu[j] - mean) / scale), std: dims.map((j) => q.std[j] / scale) };
}

/**
 * @param {Square} square
 * @param {Means | null} means
 * @param {number[]} dims
 * @param {Known} known
 * @param {number} angle
 */
function draw(square, means, [a, b], { about: { prior_mean: mean, prior_std: scale } }, angle) {
  if (!means || Math.max(a, b) >= means.dims) return;
  const step = Math.max(1, Math.ceil(means.count / DOTS));
  /** @type {number[]} */
  const places = [];
  /** @type {number[]} */
  const labels = [];
  for (let n = 0; n < means.count; n += step) {
    const at = [a, b].map((j) => (means.mu[n * means.dims + j] - mean) / scale);
    places.push(...turned(at, angle));
    labels.push(means.labels[n]);
  }
  const distances = places.map(Math.abs).sort((x, y) => x - y);
  square.resize(Math.max(HALF, 1.15 * distances[Math.floor(SHOWN * (distances.length - 1))]));
  square.dots(places, (n) => colourOf(labels[n]));
}
