// One slider per latent dimension, the most informative first; the picture follows the hand.

import { show } from "./feed.js";
import { keptDrawing } from "./pad.js";
import { bytes, latest, make, minus, paint } from "./page.js";

const REACH = 4; // prior standard deviations to either side
const LIMIT = 10; // how far the server decodes

export function mount({ element, props, server, watch }) {
  const node = element.querySelector(".live");
  const canvas = make("canvas", { width: 28, height: 28, className: "live-decoded" });
  const message = make("div", { className: "live-message" });
  message.setAttribute("role", "status");
  const list = make("div", { className: "live-list" });
  const button = (text, onclick) => make("button", { type: "button", onclick }, text);
  const reset = button("Reset to zero", () => move(z.map(() => about.prior_mean)));
  node.append(
    make("div", { className: "live-column" }, canvas,
      make("div", { className: "live-buttons" },
        reset,
        button("Random draw from the prior", () => move(z.map(() => about.prior_mean + about.prior_std * normal()))),
        button("Start from my drawing", () => fromDrawing())),
      message),
    list,
  );

  let about = null;
  let z = [];
  let rows = [];
  const ask = latest((request) => server.decode(request), (answer) => {
    message.textContent = answer.error ?? "";
    if (!answer.error) paint(canvas, bytes(answer.image));
  });
  const decode = () => ask({ model: props.value.model, z });

  /** Moves all sliders to a point. */
  function move(point) {
    if (!about) return;
    const [low, high] = [-LIMIT, LIMIT].map((side) => about.prior_mean + side * about.prior_std);
    z = point.map((value) => Math.min(high, Math.max(low, value)));
    rows.forEach((row) => row.show(z[row.index]));
    decode();
  }

  async function fromDrawing() {
    const kept = keptDrawing();
    if (!kept) return void (message.textContent = "There is no drawing yet: draw one in the Draw tab.");
    const answer = await server.look({ model: props.value.model, ...kept });
    if (!answer || answer.error) return void (message.textContent = answer?.error ?? "The server does not answer.");
    move(answer.z);
  }

  async function begin() {
    const answer = props.value.model ? await server.describe({ model: props.value.model }) : { error: "There is no model yet: train one first." };
    if (!answer || answer.error) return void (message.textContent = answer?.error ?? "The server does not answer.");
    const same = about?.model === props.value.model;
    about = { ...answer, model: props.value.model };
    reset.textContent = about.prior_mean === 0 ? "Reset to zero" : `Reset to the prior's mean, ${about.prior_mean}`;
    rows = about.dims.map((dim) => slider(dim, about, (index, value) => {
      z[index] = value;
      decode();
    }));
    list.replaceChildren(...rows.map((row) => row.node));
    move(same ? z : about.dims.map(() => about.prior_mean));
  }

  // A model that is training is decoded anew whenever its weights are.
  let version = null;
  show(element, ({ run, newest }) => {
    if (run !== props.value.model || !newest || newest === version) return;
    version = newest;
    if (about) decode();
  });
  watch("value", begin);
  begin();
}

function slider({ index, kl }, { prior_mean: mean, prior_std: std }, onmove) {
  const range = make("input", { type: "range", step: "any" });
  const output = make("output");
  const show = (value) => {
    const reach = Math.max(REACH * std, Math.abs(value - mean)); // a drawing may lie further out
    Object.assign(range, { min: mean - reach, max: mean + reach, value });
    output.textContent = minus(value.toFixed(2));
  };
  const moved = (value) => {
    output.textContent = minus(value.toFixed(2));
    onmove(index, value);
  };
  range.addEventListener("input", () => moved(Number(range.value)));
  range.addEventListener("dblclick", () => { show(mean); moved(mean); });
  range.setAttribute("aria-label", `z${index}`);
  range.dataset.dim = index;
  const title = make("span", {}, "z", make("sub", {}, String(index)));
  const information = make("small", { title: "KL of this dimension from the prior, averaged over the newest training images" }, kl === null ? "" : `${kl.toFixed(2)} nats`);
  return { node: make("label", {}, title, range, output, information), index, show };
}

/** A draw from N(0, 1), by Box and Muller's method. */
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
