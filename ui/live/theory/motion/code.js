// The lines of vae_core that compute the loss, each with what it has computed last; pointed at, it marks its term.

import { make } from "../../shared/page.js";
import { prose } from "../prose.js";
import { probabilities } from "./recording.js";
import { two, vector } from "./stages.js";

/** @import { Frame } from "../frame.js" */
/** @import { Recording, Shot } from "./recording.js" */

/** @type {Record<string, { title: string, value: (shot: Shot, recording: Recording) => string }>} */
const LINES = {
  encode: { title: "$q(z|x)$", value: ({ q }) => `μ ${vector(q.mu)}, σ ${vector(q.sigma)}` },
  draw: { title: "$z$", value: ({ z }) => vector(z) },
  decode: {
    title: "$p(x|z)$",
    value: (shot) => `784 probabilities up to ${two(Math.max(...probabilities(shot)))}`,
  },
  reconstruction: { title: "$\\log p(x|z)$", value: ({ error }) => `${two(-error)} nats` },
  kl: { title: "KL", value: ({ kl }) => `${two(kl)} nats` },
  loss: {
    title: "loss",
    value: ({ step, images }, { curves }) => `${two(curves.loss[step - 1])} nats, the mean of ${images} images`,
  },
};

/** The lines: `node`. */
export class Code {
  /** @type {Record<string, HTMLElement>} */
  #values = {};

  /** @param {Frame} frame */
  constructor(frame) {
    const lines = Object.entries(frame.card.code).map(([term, { text, file, line }]) => {
      const value = make("output", {}, "–");
      this.#values[term] = value;
      const place = make("small", {}, `${file}, line ${line}`);
      const node = make("button", { type: "button", className: `live-motion-line term-${term}` });
      const said = make("span", { className: "live-motion-value" }, value, place);
      node.append(prose("span", LINES[term].title), make("code", {}, text), said);
      node.onpointerenter = node.onfocus = node.onclick = () => frame.pointed(term);
      node.onpointerleave = node.onblur = () => frame.pointed(null);
      return make("li", {}, node);
    });
    this.node = make("ol", { className: "live-motion-code" }, ...lines);
    this.node.ariaLabel = "The lines of code of the loss";
  }

  /**
   * @param {Shot} shot
   * @param {Recording} recording
   */
  show(shot, recording) {
    for (const [term, output] of Object.entries(this.#values)) output.textContent = LINES[term].value(shot, recording);
  }
}
