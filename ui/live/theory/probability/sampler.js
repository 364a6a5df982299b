// What the model does without any picture: z from the prior, the mean of p(x|z), and an x that is drawn from it (T11).

import { model, picture } from "../../shared/model.js";
import { make } from "../../shared/page.js";
import { normal } from "../../space/normal.js";

/** @import { LiveMachine } from "../../machine/live.js" */

const MEAN = 1200; // ms for which the mean is shown before x is drawn

/** A button that samples: `control`. It has a model whose decoder runs in this browser. */
export class Sampler {
  control = make("button", { type: "button", textContent: "Sample z, draw x", hidden: true }); // until it is next

  /**
   * @param {LiveMachine} live
   * @param {() => void} sampled
   */
  constructor(live, sampled) {
    this.live = live;
    this.control.onclick = () => this.#sample(sampled);
  }

  /** Another model is in use. */
  begin() {
    this.control.disabled = false;
  }

  /** @param {() => void} sampled */
  async #sample(sampled) {
    const { decoder, about } = model;
    if (!decoder || !about) return;
    const z = Float32Array.from(about.dims, () => about.prior_mean + about.prior_std * normal());
    const mean = picture(z);
    if (!mean) return;
    this.control.disabled = true;
    this.live.scales.map.mark(z);
    this.live.machine.over(mean, "z ~ p(z): the mean of p(x|z)");
    await new Promise((done) => setTimeout(done, MEAN));
    if (about.likelihood === "bernoulli") {
      const x = mean.map((value) => (Math.random() < value / 255 ? 255 : 0));
      this.live.machine.over(x, "x ~ p(x|z): every pixel drawn");
    }
    this.control.disabled = false;
    sampled();
  }
}
