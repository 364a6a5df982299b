// KL both ways (T3): the integrands of KL(q‖p) and KL(p‖q) beside each other, and the Gaussian that each of them fits.

import { make, minus, wantsStill } from "../../shared/page.js";
import { logDensity } from "../../space/gaussian.js";
import { exactHere } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";
import { Area } from "./area.js";
import { fitted } from "./fit.js";
import { divergence, gaussian, integrand } from "./measure.js";
import { bell, grips, REACH, TICKS, tall } from "./pair.js";
import { number, table } from "./table.js";
import { saysOf, TARGETS } from "./targets.js";

/** @import { Gaussian } from "../../space/gaussian.js" */
/** @import { Build, Frame } from "../frame.js" */
/** @typedef {"seeking" | "covering"} Way by KL(q‖p), by KL(p‖q) */

const HIGHEST = 0.44; // of the axis of densities, times the least σ: a Gaussian is 0.4/σ high
const SLIDE = 400; // ms in which q goes to its optimum
/** @type {Record<Way, { of: string, title: string, value: string }>} */
const WAYS = {
  seeking: { of: "KL(q ‖ p)", title: "q log(q/p)", value: "forward" },
  covering: { of: "KL(p ‖ q)", title: "p log(p/q)", value: "backward" },
};

/** The picture and the numbers of this card. */
class Both {
  /** @type {keyof typeof TARGETS} */
  #name = "humps";
  /** @type {Record<Way, Gaussian | null>} what each way has come to */
  #fits = { seeking: null, covering: null };
  #slide = 0; // the animation frame that comes next
  #plot = new Plot({ x: [-REACH, REACH], y: [0, 1], label: "q and p over z", ratio: tall(0.5), ticks: TICKS });
  /** @type {Record<string, Area>} */
  #areas = {};
  /** @type {Record<string, HTMLButtonElement>} */
  #buttons = {};
  /** @type {[string, SVGGElement[]][]} of p, by target */
  #grips = [];
  #choices = make(
    "div",
    { className: "live-targets", role: "group", ariaLabel: "What p is" },
    make("span", {}, "p is"),
  );

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.#draw();
    for (const [name, { title }] of Object.entries(TARGETS)) {
      const choose = () => this.choose(/** @type {keyof typeof TARGETS} */ (name));
      const button = make("button", { type: "button", className: "live-target", onclick: choose }, title);
      button.dataset.target = name;
      this.#choices.append(button);
    }
    const ways = make(
      "div",
      { className: "live-kl-ways" },
      ...Object.keys(WAYS).map((way) => this.#panel(/** @type {Way} */ (way))),
    );
    frame.picture.append(this.#choices, this.#plot.node, ways);
    frame.numbers.append(kls());
    this.choose("humps");
  }

  get #target() {
    return TARGETS[this.#name];
  }

  #draw() {
    const p = (/** @type {number} */ x) => Math.exp(this.#target.density().log(x));
    this.#plot.area(p, "live-of-p");
    this.#plot.curve(p, "live-of-p");
    this.#plot.mark("p", () => this.#target.top(), "live-of-p");
    bell(this.#plot, "q", () => this.#target.q);
    for (const way of /** @type {Way[]} */ (Object.keys(WAYS)))
      this.#plot.curve((x) => this.#ghost(way, x), `live-of-q live-fitted live-${way}`);
    const told = { grabbed: () => cancelAnimationFrame(this.#slide), moved: () => this.show() };
    const moved = { ...told, moved: () => this.#forget() };
    for (const [name, target] of Object.entries(TARGETS)) {
      const ofQ = grips(this.#plot, "q", () => target.q, target.bounds, told);
      this.#grips.push([name, [...target.grips(this.#plot, moved), ...ofQ]]);
    }
  }

  /**
   * The density that a way has come to, below the axis where there is none.
   *
   * @param {Way} way
   * @param {number} x
   */
  #ghost(way, x) {
    const fit = this.#fits[way];
    return fit ? Math.exp(logDensity(x, fit)) : -1;
  }

  /** @param {Way} way */
  #panel(way) {
    const { of, title, value } = WAYS[way];
    const area = new Area({
      label: `${title} over z`,
      ratio: 0.7,
      ticks: [-4, 0, 4],
      title: `${title}, of area ${of} = `,
    });
    area.caption.append(number(value));
    const button = make("button", { type: "button", onclick: () => this.fit(way) }, `Minimize ${of}`);
    this.#areas[way] = area;
    this.#buttons[way] = button;
    return make("div", { className: "live-kl-way" }, area.node, button);
  }

  /**
   * Another p; each keeps its own q.
   *
   * @param {keyof typeof TARGETS} name
   */
  choose(name) {
    cancelAnimationFrame(this.#slide);
    this.#name = name;
    this.#plot.y = [0, HIGHEST / this.#target.bounds.sigma[0]];
    for (const [of, nodes] of this.#grips) for (const node of nodes) node.toggleAttribute("hidden", of !== name);
    for (const button of this.#choices.querySelectorAll("button"))
      button.ariaPressed = String(button.dataset.target === name);
    this.#buttons.seeking.disabled = name === "box";
    this.#forget();
    if (name === "box")
      this.frame.say("Every Gaussian has tails where this p is 0: KL(q‖p) is infinite for each of them.");
  }

  /** p is another one: what was fitted to it holds no longer. */
  #forget() {
    this.#fits = { seeking: null, covering: null };
    this.frame.show({ seeking_qp: "", seeking_pq: "", covering_qp: "", covering_pq: "" });
    this.frame.say("");
    this.show();
  }

  /** Shows what follows from q and p. */
  show() {
    const { density, q } = this.#target;
    const [f, p] = [gaussian(q), density()];
    const [forward, backward] = [divergence(f, p), divergence(p, f)];
    this.#plot.draw();
    this.#areas.seeking.show(integrand(f, p));
    this.#areas.covering.show(integrand(p, f));
    this.frame.show({ forward: written(forward), backward: written(backward) });
  }

  /**
   * Fits q, and shows the way to it.
   *
   * @param {Way} way
   */
  fit(way) {
    cancelAnimationFrame(this.#slide);
    const { density, q, bounds, start } = this.#target;
    const p = density();
    const loss = (/** @type {Gaussian} */ it) =>
      way === "seeking" ? divergence(gaussian(it), p) : divergence(p, gaussian(it));
    const steps = fitted(loss, q, bounds, way === "seeking" && start ? start() : null);
    const began = performance.now();
    const slide = (/** @type {number} */ now) => {
      const part = wantsStill() ? 1 : Math.max(0, Math.min(1, (now - began) / SLIDE));
      Object.assign(q, steps[Math.round(part * (steps.length - 1))]);
      this.show();
      if (part < 1) this.#slide = requestAnimationFrame(slide);
      else this.#arrive(way);
    };
    this.#slide = requestAnimationFrame(slide);
  }

  /** @param {Way} way */
  #arrive(way) {
    const { density, q } = this.#target;
    this.#fits[way] = { ...q };
    this.frame.show({
      [`${way}_qp`]: written(divergence(gaussian(q), density())),
      [`${way}_pq`]: written(divergence(density(), gaussian(q))),
    });
    this.frame.say(saysOf(this.#name, way, q));
    this.#plot.draw();
    this.frame.done();
  }

  /** Nobody looks any more. */
  leave() {
    cancelAnimationFrame(this.#slide);
  }
}

/** The two KLs of each q. */
function kls() {
  const line = (/** @type {string} */ way) => make("i", { className: `live-kl-line ${way}`, ariaHidden: "true" });
  return table(
    ["by quadrature: ", exactHere()],
    ["", "KL(q ‖ p)", "KL(p ‖ q)"],
    [
      { title: [line(""), "q now"], names: ["forward", "backward"], className: "live-two-kls" },
      {
        title: [line("live-seeking"), "q fitted by KL(q ‖ p)"],
        names: ["seeking_qp", "seeking_pq"],
        className: "live-two-kls",
      },
      {
        title: [line("live-covering"), "q fitted by KL(p ‖ q)"],
        names: ["covering_qp", "covering_pq"],
        className: "live-two-kls",
      },
    ],
  );
}

/** @param {number} value */
const written = (value) => (value === Infinity ? "∞" : minus(value.toFixed(2)));

/** @type {Build} */
export function build(frame) {
  const both = new Both(frame);
  return { shown: () => both.show(), hidden: () => both.leave() };
}
