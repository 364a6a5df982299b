// z = μ + σ ⊙ ε with its noise held: what comes through to μ and σ, three estimators of it, and a training in which
// nothing does (T17).

import { failed, newest, oneAtATime } from "../../shared/ask.js";
import { later, never } from "../../shared/background.js";
import { model, onModel } from "../../shared/model.js";
import { make, minus, wantsStill } from "../../shared/page.js";
import { normal } from "../../space/normal.js";
import { see } from "../../words/see.js";
import { strip } from "../parts/strip.js";
import { prose } from "../prose.js";
import { acts } from "./acts.js";
import { Detached } from "./detached.js";
import { Estimators } from "./estimators.js";
import { Plane } from "./plane.js";
import { slopesOf } from "./slopes.js";
import { Ascent, drawsOf, klOf, ofKl, ofReconstruction } from "./through.js";

/** @import { Place } from "../deck.js" */
/** @import { Known } from "../image.js" */
/** @import { Build, Frame } from "../frame.js" */
/** @import { Slope, Slopes } from "./slopes.js" */
/** @import { Prior, State } from "./through.js" */

const DRAWS = 16;
let cards = 0; // that were built: each has a job of its own
const TEXT = {
  detached: "Detached, the reconstruction’s arrows end at the draws. Follow the gradient: only the KL pulls.",
  collapsed: "q is the prior now, and knows nothing of this image: the KL is 0.",
  arrived: "The arrows balance: for this noise, this q has the largest ELBO near here.",
};

/**
 * @param {Frame} frame
 * @param {Place} component
 * @returns {ReturnType<Build>}
 */
export function build(frame, component) {
  const card = new Held(frame, component);
  return { shown: () => card.shown(), hidden: () => card.stop() };
}

/** @returns {number[][]} */
const noise = () => Array.from({ length: DRAWS }, () => [normal(), normal()]);

/** The card: q with its held noise, and what is shown of it. */
class Held {
  /** @type {State} */
  state = { mu: [0, 0], std: [0.5, 0.5], eps: noise(), slopes: null, isDetached: false };
  /** @type {Prior} */
  prior = { mean: 0, std: 1 };
  /** @type {Known | null} */
  #known = null;
  /** @type {Promise<Slopes | null>} */
  #slopes = Promise.resolve(null);
  /** @type {((z: number[]) => Slope) | null} */
  #slopeAt = null;
  #job = `reparameterization-slopes-${cards++}`;
  #isStale = false; // another image has come while another card was shown
  #turn = newest();
  /** @type {Slope[] | null} */
  #answered = null; // by the server, where the decoder is too slow here
  #goes = 0; // a new way ends the last
  #follow = make("button", { type: "button", className: "live-primary" }, "Follow the gradient");
  #detach = make("button", { type: "button", ariaPressed: "false" }, "Detach z");

  /**
   * @param {Frame} frame
   * @param {Place} component
   */
  constructor(frame, component) {
    this.frame = frame;
    this.plane = new Plane(this.state, (moved) => this.#moved(moved));
    const numbers = table();
    frame.numbers.append(numbers);
    frame.lead = () => see("gradient");
    this.estimators = new Estimators(frame);
    this.detached = new Detached(frame, component);
    const again = make("button", { type: "button", onclick: () => this.#draw() }, "New ε");
    this.#follow.onclick = () => this.#climb();
    this.#detach.onclick = () => this.#toggle();
    frame.buttons.prepend(this.#follow, this.#detach, this.detached.run);
    const caption = make("p", { className: "live-caption" }, make("span", { className: "term-reconstruction" }, "→"));
    caption.append(" reconstruction, ", make("span", { className: "term-kl" }, "→"), " −KL: at μ, and at σ on the ");
    caption.append("ends of the axes. An arrow grows as the logarithm of its slope.");
    const held = make("div", { className: "live-held-noise" }, this.plane.node, caption, again);
    this.acts = acts("What is shown", [
      { title: "Hold ε", node: held, of: [numbers, this.#follow, this.#detach] },
      { title: "Three estimators", node: this.estimators.node, of: [this.estimators.numbers.node] },
      { title: "Detach z in training", node: this.detached.node, of: [this.detached.numbers.node, this.detached.run] },
    ]);
    this.acts.onChoose = () => this.#act();
    this.strip = strip(frame);
    frame.picture.append(this.acts.node, this.strip);
    onModel((_, isOther) => this.#load(isOther));
    frame.image.onChange((known, isOther) => isOther && this.#other(known));
  }

  shown() {
    if (this.#isStale) this.#begin(this.frame.image.known);
    this.plane.show();
    this.#act();
  }

  /** Shows what another act needs. */
  #act() {
    this.stop();
    this.frame.say("");
    this.strip.hidden = this.acts.at === 2;
    if (this.acts.at === 1) this.#estimate();
    if (this.acts.at === 2) this.detached.begin();
  }

  stop() {
    this.detached.stop();
    this.#goes += 1;
    this.#follow.textContent = "Follow the gradient";
  }

  /** @param {boolean} isOther whether it is another model, and not other weights of it */
  async #load(isOther) {
    this.#slopes = model.decoder ? slopesOf(model.id) : Promise.resolve(null);
    if (!isOther && this.#known) this.#look(await this.#slopes);
  }

  /** @param {Known | null} known another image, which waits until the card is shown */
  #other(known) {
    this.#isStale = !this.frame.node.isConnected;
    if (!this.#isStale) this.#begin(known);
  }

  /** @param {Known | null} known another image */
  async #begin(known) {
    this.#isStale = false;
    this.stop();
    this.#known = known;
    if (known?.q.mu.length !== 2) return;
    this.prior = { mean: known.about.prior_mean, std: known.about.prior_std };
    this.plane.prior = this.prior;
    Object.assign(this.state, { mu: [...known.q.mu], std: [...known.q.std], slopes: null });
    this.plane.look(true, false);
    if (this.acts.at === 1) this.#estimate();
    this.#look(await this.#slopes); // before the pictures: its arrows are what the card is about
    this.plane.decode();
  }

  /** @param {Slopes | null} slopes of the decoder that looks at the image now */
  #look(slopes) {
    if (!this.#known) return;
    this.#slopeAt = slopes?.of(this.#known.x) ?? null;
    this.#changed();
  }

  /** @param {Partial<State>} moved */
  #moved(moved) {
    this.stop();
    Object.assign(this.state, moved);
    this.#changed();
    this.frame.say("");
  }

  /** Other noise, which is then held. */
  #draw() {
    this.#moved({ eps: noise(), slopes: null });
  }

  #toggle() {
    const isDetached = !this.state.isDetached;
    this.#detach.ariaPressed = String(isDetached);
    this.#moved({ isDetached });
    this.frame.say(isDetached ? TEXT.detached : "");
  }

  /** q, its noise or the decoder is another: the draws follow at once, and the slopes as they come. */
  #changed() {
    this.plane.node.classList.add("live-old");
    this.plane.show();
    this.#show();
    this.#find(() => {});
  }

  /**
   * Finds the slope at each draw, here or on the server, and then goes on.
   *
   * @param {() => void} next
   */
  async #find(next) {
    const isNewest = this.#turn();
    if (this.#slopeAt) {
      later(this.#job, this.#differentiate(this.#slopeAt, next));
      return;
    }
    never(this.#job);
    if (!this.#known) return;
    await this.#ask({ model: model.id, image: this.#known.seen, z: drawsOf(this.state) });
    if (isNewest() && this.#answered) this.#found(this.#answered, next);
  }

  #ask = oneAtATime(
    (/** @type {{ model: string, image: string, z: number[][] }} */ request) => this.frame.server.slopes_at(request),
    (answer) => {
      if (failed(answer)) this.frame.say(answer.error);
      this.#answered = failed(answer) ? null : answer.log_px.map((log_px, l) => ({ log_px, slope: answer.slope[l] }));
    },
  );

  /**
   * The slope at each draw, one after the other.
   *
   * @param {(z: number[]) => Slope} slopeAt
   * @param {() => void} done
   */
  *#differentiate(slopeAt, done) {
    const found = [];
    for (const z of drawsOf(this.state)) {
      found.push(slopeAt(z));
      yield;
    }
    this.#found(found, done);
  }

  /**
   * @param {Slope[]} slopes at the draws
   * @param {() => void} next
   */
  #found(slopes, next) {
    this.state.slopes = slopes;
    this.plane.node.classList.remove("live-old");
    this.plane.follow();
    this.#show();
    next();
  }

  #show() {
    const { state, prior } = this;
    const [reconstruction, toKl] = [ofReconstruction(state), ofKl(state, prior)];
    const isOld = this.plane.node.classList.contains("live-old") && !state.isDetached;
    const first = drawsOf(state)[0];
    this.frame.show({
      to_mu: isOld ? "…" : pair(reconstruction?.mu),
      to_sigma: isOld ? "…" : pair(reconstruction?.std),
      kl_mu: pair(toKl.mu),
      kl_sigma: pair(toKl.std),
      reconstruction: isOld || !state.slopes ? "…" : mean(state.slopes),
      kl: klOf(state, prior),
      minus_kl: -klOf(state, prior),
      z: pair(first),
      eps: pair(state.eps[0]),
      mu: pair(state.mu),
      sigma: pair(state.std),
    });
  }

  /** Follows the gradient for some steps, with the noise that is held. */
  #climb() {
    const isGoing = this.#follow.textContent === "Stop";
    this.stop();
    if (isGoing) return;
    if (!this.#known) return;
    this.frame.say("");
    this.#follow.textContent = "Stop";
    const mine = this.#goes;
    const ascent = new Ascent();
    const step = () => {
      if (mine !== this.#goes) return;
      if (ascent.isOver) {
        this.#arrived();
        return;
      }
      ascent.step(this.state, this.prior);
      this.#onward(step);
    };
    never(this.#job);
    this.#onward(step);
  }

  /** Shows where q is, finds the slopes there, and goes on: in the next frame, or at once where motion is not wanted. */
  #onward(/** @type {() => void} */ next) {
    if (!this.state.isDetached) {
      this.#find(next);
      return;
    }
    this.plane.follow();
    this.#show();
    if (wantsStill()) next();
    else requestAnimationFrame(next);
  }

  #arrived() {
    this.stop();
    this.frame.say(this.state.isDetached ? TEXT.collapsed : TEXT.arrived);
    if (this.state.isDetached) this.frame.done();
    this.#changed();
  }

  #estimate() {
    const { mu, std } = this.state;
    if (this.#known) this.estimators.ask(this.#known.seen, { mu, std });
  }
}

/** The gradient of both terms by μ and σ, and their values: a table whose outputs the frame fills. */
function table() {
  const cell = (/** @type {string} */ name, /** @type {string} */ term) => {
    const output = make("output", { className: `term-${term}` }, "–");
    output.dataset.value = name;
    return make("td", {}, output);
  };
  const row = (/** @type {string} */ title, /** @type {string} */ left, /** @type {string} */ right) =>
    make("tr", {}, prose("th", title), cell(left, "reconstruction"), cell(right, "kl"));
  const head = make(
    "tr",
    {},
    make("th"),
    make("th", { className: "term-reconstruction" }, "reconstruction"),
    make("th", { className: "term-kl" }, "−KL"),
  );
  const rows = [
    row("by these draws", "reconstruction", "minus_kl"),
    row("$\\partial/\\partial\\mu$", "to_mu", "kl_mu"),
    row("$\\partial/\\partial\\sigma$", "to_sigma", "kl_sigma"),
  ];
  return make("table", { className: "live-numbers live-both-terms" }, make("tbody", {}, head, ...rows));
}

/** @param {number[] | undefined} values */
const pair = (values) =>
  values ? `(${values.map((value) => minus(value.toFixed(Math.abs(value) < 100 ? 2 : 0))).join(", ")})` : "";

/** @param {Slope[]} slopes */
const mean = (slopes) => slopes.reduce((sum, { log_px }) => sum + log_px, 0) / slopes.length;
