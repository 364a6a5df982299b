// Amortization: the encoder's q, the best q of this image and the exact posterior, and the two gaps between them (T15).

import { exactPosterior } from "../../exact/exact.js";
import { FINE, planeOf, weigh } from "../../q/weigh.js";
import { answerOf, failed, newest } from "../../shared/ask.js";
import { later } from "../../shared/background.js";
import { model } from "../../shared/model.js";
import { bytes, make, minus, paint } from "../../shared/page.js";
import { Numbers } from "../parts/numbers.js";
import { beside } from "./beside.js";
import { Hand, told } from "./hand.js";
import { scaleAround } from "./lengths.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Scale } from "../../meter/scale.js" */
/** @import { Description, Example, Q } from "../../shared/types.js" */
/** @import { Terms } from "../../q/weigh.js" */
/**
 * Nats. own: the ELBO of the encoder's q; best: that of the best q so far; log_px: null as long as it is not known;
 * approximation: the gap of the best q, by itself.
 *
 * @typedef {{ own: number | null, best: number | null, log_px: number | null, approximation: number | null }} Parts
 */

const COMPARED = 5; // test digits
const COMPARE = `Compare ${COMPARED} test digits`;

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "own", title: "ELBO of the encoder’s q", term: "elbo", kind: "general" },
  { name: "amortization", title: "amortization gap", sign: "+", term: "gap", kind: "general" },
  { name: "best", title: "ELBO of the best q", sign: "=", term: "elbo", kind: "general" },
  { name: "approximation", title: "approximation gap", sign: "+", term: "gap", kind: "exact" },
  { name: "log_px", title: "log p(x)", sign: "=", term: "evidence", kind: "exact" },
];

/** @type {Build} */
export function build(frame) {
  const numbers = new Numbers(frame, ROWS, { bars: true });
  const compared = new Compared(frame);
  /** @type {Parts} */
  let parts = nothing();
  let isWay = false; // whether the way to the best q is shown, or its end
  /** @type {Scale | null} */
  let scale = null;
  const follow = () => {
    show(frame, parts);
    scale = scaleAround(scale, [parts.own, parts.best, parts.log_px]);
    lay(numbers, scale, parts);
  };
  const side = beside(frame, [
    ["live-of-q", "q in your hand"],
    ["live-of-own", "the encoder’s q"],
    ["live-of-posterior", "p(z|x), exact"],
  ]);
  const hand = new Hand(frame, {
    weighed({ elbo, gap }, log_px) {
      const isOwn = hand.q?.mu.every((mu, j) => mu === hand.known?.q.mu[j]) && !isWay;
      parts = isOwn ? { ...parts, own: elbo, log_px } : { ...parts, best: elbo, approximation: gap, log_px };
      follow();
    },
    begun() {
      parts = nothing();
      isWay = false;
      scale = null;
      follow();
    },
    moved() {
      isWay = true;
      hand.map.compare(hand.known?.q ?? null);
    },
    found: () => frame.done(),
    shown: (q) => side.of(q),
    over: (grey) => side.over(grey),
  });
  const best = hand.best.onclick;
  hand.best.onclick = (event) => {
    isWay = true;
    hand.map.compare(hand.known?.q ?? null);
    best?.call(hand.best, event);
  };
  frame.buttons.prepend(hand.best, compared.button);
  frame.picture.append(make("div", { className: "live-with-plane" }, hand.map.node, side.node), compared.node);
  return { shown: () => hand.wake() };
}

/** @returns {Parts} */
const nothing = () => ({ own: null, best: null, log_px: null, approximation: null });

/**
 * @param {Frame} frame
 * @param {Parts} parts
 */
function show(frame, { own, best, log_px, approximation }) {
  const amortization = own !== null && best !== null ? best - own : "";
  const whole = own !== null && log_px !== null ? log_px - own : "";
  frame.show({ own: own ?? "", best: best ?? "", amortization, approximation: approximation ?? "" });
  frame.show({ log_px: log_px ?? "", whole });
}

/**
 * @param {Numbers} numbers
 * @param {Scale} at
 * @param {Parts} parts
 */
function lay(numbers, at, { own, best, log_px }) {
  const [encoders, refined, evidence] = [own, best, log_px].map((value) => value ?? Number.NaN);
  numbers.layOn(at, {
    own: { from: at.base, to: encoders },
    amortization: { from: encoders, to: refined },
    best: { from: at.base, to: refined },
    approximation: { from: refined, to: evidence },
    log_px: { from: at.base, to: evidence },
  });
}

/** The two gaps of a few test digits, one after the other: `node`, and the `button` that begins. */
class Compared {
  /** @type {Description | null} */
  #about = null; // the model whose gaps are shown
  #turn = newest();
  #rows = make("div", { className: "live-digits-compared" });
  node = make("figure", { className: "live-compared", hidden: true }, this.#rows);
  button = make("button", { type: "button", disabled: true }, COMPARE);
  #most = 1; // nats of the longest bar

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    const key = (/** @type {string} */ part) => make("span", { className: "live-two" }, make("i", { className: part }));
    this.node.append(
      make(
        "figcaption",
        {},
        key("live-amortization"),
        " amortization and ",
        key("live-approximation"),
        " approximation gap, nats",
      ),
    );
    this.button.onclick = () => this.#begin();
    frame.image.onChange((known, isOther) => {
      this.button.disabled = !known;
      if (isOther && known?.about !== this.#about) this.#end();
      this.#about = known?.about ?? null;
    });
  }

  #end() {
    this.#turn();
    this.node.hidden = true;
  }

  async #begin() {
    const known = this.frame.image.known;
    if (!known) return;
    const isNewest = this.#turn();
    this.button.disabled = true;
    this.node.hidden = false;
    this.#rows.replaceChildren();
    this.#most = 1;
    const step = Math.max(1, Math.floor(known.about.examples.length / COMPARED));
    const examples = known.about.examples.filter((_, n) => n % step === 0).slice(0, COMPARED);
    for (const [n, example] of examples.entries()) {
      this.button.textContent = `Comparing: ${n + 1} of ${examples.length} …`;
      const row = this.#row(example);
      const found = await gapsOf(this.frame, example);
      if (!isNewest()) break;
      if (typeof found === "string") row.output.textContent = found;
      else this.#fill(row, found);
    }
    this.button.textContent = COMPARE;
    this.button.disabled = !this.frame.image.known;
  }

  /** @param {Example} example */
  #row({ label, image }) {
    const canvas = make("canvas");
    paint(canvas, bytes(image));
    const [first, second] = [
      make("i", { className: "live-amortization" }),
      make("i", { className: "live-approximation" }),
    ];
    const output = make("output", {}, "…");
    const length = make("div", { className: "live-two" }, first, second);
    const node = make("div", { ariaLabel: `a test ${label}`, role: "group" }, canvas, length, output);
    this.#rows.append(node);
    return { first, second, output };
  }

  /**
   * @param {{ first: HTMLElement, second: HTMLElement, output: HTMLElement }} row
   * @param {{ amortization: number, approximation: number }} gaps
   */
  #fill({ first, second, output }, { amortization, approximation }) {
    this.#most = Math.max(this.#most, amortization + approximation);
    this.#rows.style.setProperty("--most", String(this.#most));
    first.style.setProperty("--nats", String(Math.max(0, amortization)));
    second.style.setProperty("--nats", String(Math.max(0, approximation)));
    output.textContent = `${minus(amortization.toFixed(2))} + ${minus(approximation.toFixed(2))}`;
  }
}

/**
 * The two gaps of a test image under the model in use, each by itself; or why they are not known.
 *
 * @param {Frame} frame
 * @param {Example} example
 */
async function gapsOf({ server }, { image }) {
  const id = model.id;
  const looked = await answerOf(server.look({ model: id, image, draws: 1 }));
  if (failed(looked)) return looked.error;
  const own = { mu: looked.z, std: looked.std };
  const [found, loaded] = [
    await answerOf(server.refine({ model: id, image: looked.seen })),
    await planeOf(id, looked.version),
  ];
  if (failed(found)) return found.error;
  if (failed(loaded)) return loaded.error;
  const exact = await exactPosterior({ model: id, version: looked.version, seen: looked.seen, q: own }, server);
  if (failed(exact)) return exact.error;
  const x = Float32Array.from(bytes(looked.seen), (value) => value / 255);
  const weighed = (/** @type {Q} */ q) =>
    new Promise((/** @type {(terms: Terms) => void} */ resolve) =>
      later(`gaps-${q === own}`, told(weigh(loaded.plane, x, q, exact.log_px, FINE), resolve)),
    );
  const [encoders, best] = [await weighed(own), await weighed(found.path[found.path.length - 1])];
  return { amortization: best.elbo - encoders.elbo, approximation: best.gap ?? Number.NaN };
}
