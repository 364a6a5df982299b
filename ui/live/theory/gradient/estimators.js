// Three unbiased estimators of the gradient on the image in hand: their standard errors as the draws grow, on axes of
// logarithms, and their means at the number of draws that the handle stands at.

import { answerOf, failed, newest } from "../../shared/ask.js";
import { model } from "../../shared/model.js";
import { make, minus } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { handle } from "../parts/handle.js";
import { Numbers } from "../parts/numbers.js";
import { Plot } from "../parts/plot.js";
import { prose } from "../prose.js";

/** @import { Estimators as Answer, Q } from "../../shared/types.js" */
/** @import { Frame } from "../frame.js" */
/** @typedef {"pathwise" | "score" | "with_baseline"} Name */

const DRAWS = [512, 10_000]; // asked for one after the other: the first come soon
/** @type {Name[]} */
const NAMES = ["pathwise", "with_baseline", "score"];
const TITLES = { pathwise: "pathwise", with_baseline: "with a baseline", score: "score function" };
const OF = ["\\mu_0", "\\mu_1", "\\log\\sigma_0^2", "\\log\\sigma_1^2"];
const SAID = ["μ of z0", "μ of z1", "log σ² of z0", "log σ² of z1"];

/** The estimators: `node`, and `numbers` among those of the card. */
export class Estimators {
  /** @type {Answer | null} */
  #answer = null;
  #of = 0; // μ0, μ1, log σ0², log σ1²
  #at = 2; // log10 of the number of draws
  #turn = newest();
  #asked = ""; // q and image
  /** @type {Record<Name, SVGPathElement>} */
  #curves = { pathwise: curve("pathwise"), with_baseline: curve("baseline"), score: curve("score") };
  #grid = svg("g", { class: "live-axis-1d" });
  #now = svg("line", { class: "live-now" });
  #dots = svg("g");
  #titles = svg("g");
  #buttons = OF.map((latex, n) => {
    const node = prose("button", `$\\partial/\\partial ${latex}$`);
    Object.assign(node, { type: "button", ariaLabel: `derivative by ${SAID[n]}`, onclick: () => this.choose(n) });
    return node;
  });

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.numbers = new Numbers(frame, ROWS);
    this.plot = new Plot({ x: [Math.log10(4), 4], y: [-1, 4], label: "standard errors by draws", ratio: 0.82 });
    this.plot.options.xTitle = "draws";
    this.plot.layer.append(this.#grid, ...Object.values(this.#curves), this.#now, this.#dots, this.#titles);
    this.plot.add(() => this.#draw());
    handle(this.plot, {
      said: "number of draws",
      at: () => [this.#at, this.plot.y[0]],
      value: () => this.#at,
      low: Math.log10(4),
      high: 4,
      step: 0.125,
      to: ({ x }) => x,
      onInput: (value) => {
        this.#at = value;
        this.#show();
      },
    });
    const choices = make(
      "div",
      { className: "live-choices", role: "group", ariaLabel: "derivative" },
      ...this.#buttons,
    );
    this.caption = make("p", { className: "live-caption" }, "Standard error, nats per unit. Drag the number of draws.");
    this.node = make("div", { className: "live-estimators" }, choices, this.plot.node, this.caption);
    this.choose(0);
  }

  /** @param {number} of one of the derivatives */
  choose(of) {
    this.#of = of;
    for (const [n, node] of this.#buttons.entries()) node.ariaPressed = String(n === of);
    this.#show();
  }

  /**
   * Asks the server, unless it has answered for this q and image.
   *
   * @param {string} seen the image as the model sees it
   * @param {Q} q
   */
  async ask(seen, { mu, std }) {
    const asked = `${model.id} ${seen} ${mu} ${std}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#answer = null;
    this.node.classList.add("live-old");
    const isNewest = this.#turn();
    for (const draws of DRAWS) {
      const answer = await answerOf(this.frame.server.estimators({ model: model.id, image: seen, mu, std, draws }));
      if (!isNewest()) return;
      this.frame.say(failed(answer) ? answer.error : "");
      if (failed(answer)) {
        this.#asked = "";
        return;
      }
      this.#answer = answer;
      this.node.classList.remove("live-old");
      this.node.dataset.draws = String(draws);
      this.#show();
    }
  }

  /** The place of the count that is nearest to the handle. */
  get #place() {
    const counts = this.#answer?.counts ?? [];
    const off = counts.map((count) => Math.abs(Math.log10(count) - this.#at));
    return off.indexOf(Math.min(...off));
  }

  #show() {
    const answer = this.#answer;
    if (answer) {
      const errors = NAMES.flatMap((name) => answer[name].error.map((row) => row[this.#of])).filter((it) => it > 0);
      this.plot.y = [Math.floor(Math.log10(Math.min(...errors))), Math.ceil(Math.log10(Math.max(...errors)))];
      this.frame.show(this.#values(answer));
    }
    this.plot.draw();
  }

  /** @param {Answer} answer */
  #values(answer) {
    const place = this.#place;
    const shown = (/** @type {Name} */ name) => {
      const [mean, error] = [answer[name].mean[place][this.#of], answer[name].error[place][this.#of]];
      return `${digits(mean)} ± ${digits(error)}`;
    };
    return {
      draws: answer.counts[place].toLocaleString("en"),
      pathwise: shown("pathwise"),
      with_baseline: shown("with_baseline"),
      score: shown("score"),
      ratio_baseline: times(answer.with_baseline.ratio),
      ratio_score: times(answer.score.ratio),
    };
  }

  #draw() {
    const { plot } = this;
    this.#drawGrid();
    const answer = this.#answer;
    if (!answer) return;
    const places = (/** @type {Name} */ name) =>
      answer.counts.map((count, n) => [
        plot.px(Math.log10(count)),
        plot.py(Math.log10(Math.max(1e-9, answer[name].error[n][this.#of]))),
      ]);
    const x = plot.px(Math.log10(answer.counts[this.#place]));
    set(this.#now, { x1: x, x2: x, y1: 8, y2: plot.py(plot.y[0]) });
    const [dots, titles] = [[], []].map(() => /** @type {SVGElement[]} */ ([]));
    for (const name of NAMES) {
      const points = places(name);
      set(this.#curves[name], { d: `M${points.map((it) => it.map((one) => one.toFixed(1)).join()).join("L")}` });
      const [, y] = points[this.#place];
      const className = this.#curves[name].classList[1];
      dots.push(svg("circle", { class: className, cx: x, cy: y, r: 5 }));
      const [middle, above] = points[Math.floor(points.length * 0.62)];
      const isBelow = name === "pathwise";
      const place = { x: middle, y: above + (isBelow ? 26 : -12), "text-anchor": isBelow ? "end" : "start" };
      titles.push(svg("text", { class: className, ...place }, TITLES[name]));
    }
    this.#dots.replaceChildren(...dots);
    this.#titles.replaceChildren(...titles);
  }

  #drawGrid() {
    const { plot } = this;
    const [low, high] = plot.y;
    const across = Array.from({ length: high - low }, (_, n) => {
      const y = plot.py(low + n + 1);
      const line = svg("line", { x1: 8, x2: plot.width - 8, y1: y, y2: y });
      return [
        line,
        svg("text", { x: 8, y: y + 16 }, (10 ** (low + n + 1)).toLocaleString("en", { maximumFractionDigits: 6 })),
      ];
    });
    const along = [10, 100, 1000, 10_000].map((count) =>
      svg(
        "text",
        { x: plot.px(Math.log10(count)), y: plot.height - 14, "text-anchor": count === 10_000 ? "end" : "middle" },
        count.toLocaleString("en"),
      ),
    );
    this.#grid.replaceChildren(...across.flat(), ...along);
  }
}

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "draws", title: "draws", kind: "general" },
  { name: "pathwise", title: "pathwise", word: "pathwise", term: "reconstruction", kind: "general" },
  { name: "with_baseline", title: "score function, with a baseline", word: "baseline", kind: "general" },
  { name: "score", title: "score function", word: "score_function", kind: "general" },
  { name: "ratio_baseline", title: "variance ÷ pathwise, with a baseline", kind: "general" },
  { name: "ratio_score", title: "variance ÷ pathwise, without", kind: "general" },
];

/** @param {string} of */
const curve = (of) => svg("path", { class: `live-curve live-of-${of}` });

/** @param {number} value three digits of it */
const digits = (value) =>
  minus(Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2));

/** @param {number} ratio */
const times = (ratio) => `${ratio >= 100 ? Math.round(ratio).toLocaleString("en") : ratio.toFixed(1)} ×`;
