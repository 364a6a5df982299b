// Trainings that each differ from the usual one in a single setting: the visitor says what will come, and sees it.

import { failed } from "../../shared/ask.js";
import { make } from "../../shared/page.js";
import { keepOf, keptOf } from "../done.js";
import { lessonOf, runHere } from "../parts/lesson.js";
import { Player } from "../parts/player.js";
import { Predict } from "../predict.js";
import { Both, Pair, Terms, termsAt } from "./compare.js";

/** @import { Lesson } from "../../shared/types.js" */
/** @import { Way } from "../cards.js" */
/** @import { Place } from "../deck.js" */
/** @import { Frame } from "../frame.js" */

const USUAL = { plain: "as it is", gaussian: "with the best σ" }; // what is compared with

/** @type {import("./compare.js").Row[]} */
const ROWS = [
  { name: "reconstruction", title: "−reconstruction", term: "reconstruction" },
  { name: "kl", title: "KL", sign: "+", term: "kl" },
  { name: "elbo", title: "−ELBO", sign: "=", term: "elbo" },
  { name: "used", title: "dimensions in use" },
];

/**
 * @param {Frame} frame
 * @param {Place} component
 */
export function build(frame, component) {
  const view = new Broken(frame, component);
  return { shown: () => view.begin(), hidden: () => view.player.stop() };
}

/** The ways to break it, and the one that is shown. */
class Broken {
  /** @type {Way} */
  #way;
  /** @type {Lesson[]} */
  #lessons = []; // the usual one, and this
  /** @type {Predict | null} */
  #predict = null;
  /** @type {Map<Way, HTMLButtonElement>} */
  #buttons = new Map();
  #question = make("div", { className: "live-break-question" });

  /**
   * @param {Frame} frame
   * @param {Place} component
   */
  constructor(frame, component) {
    this.frame = frame;
    [this.#way] = frame.card.ways;
    this.both = new Both(ROWS);
    this.pair = new Pair();
    this.terms = new Terms();
    this.player = new Player((_, step) => this.#at(step));
    const ways = make("div", { className: "live-breaks", role: "group", ariaLabel: "What is broken" });
    ways.append(...frame.card.ways.map((way) => this.#button(way)));
    frame.numbers.append(ways, this.#question, this.both.node);
    frame.buttons.prepend(runHere(component, () => this.#way.lesson));
    frame.picture.append(this.pair.node, this.player.node, this.terms.node);
    frame.picture.classList.add("live-lesson");
  }

  begin() {
    if (!this.#lessons.length) this.choose(this.#way);
  }

  /** @param {Way} way */
  #button(way) {
    const node = make("button", { type: "button", className: "live-break" }, way.title);
    node.onclick = () => this.choose(way);
    this.#buttons.set(way, node);
    return node;
  }

  /**
   * Shows another way, at its beginning until it was played.
   *
   * @param {Way} way
   */
  async choose(way) {
    this.#way = way;
    this.player.stop();
    this.#mark();
    const names = [way.against, way.lesson];
    const found = await Promise.all(names.map((name) => lessonOf(this.frame.server, name)));
    if (this.#way !== way) return;
    const wrong = found.find(failed);
    this.frame.say(wrong ? `The recorded training did not come. ${wrong.error}` : "");
    if (wrong) return;
    this.#lessons = /** @type {Lesson[]} */ (found);
    const usual = USUAL[/** @type {keyof typeof USUAL} */ (way.against)];
    const [, lesson] = this.#lessons;
    this.both.name(usual, way.title);
    this.pair.take(this.#lessons, [usual, way.title]);
    this.terms.take(this.#lessons, [usual, way.title]);
    this.#ask();
    this.player.take(lesson, this.#kept.done ? Number.POSITIVE_INFINITY : 0);
  }

  get #kept() {
    return keptOf(`break/${this.#way.lesson}`);
  }

  /** @param {{ choice?: number, done?: boolean }} more */
  #keep(more) {
    keepOf(`break/${this.#way.lesson}`, more);
  }

  /** Asks what will come; the training plays once the visitor has said so. */
  #ask() {
    const chose = (/** @type {number} */ choice) => {
      this.#keep({ choice });
      this.player.play();
    };
    const { question } = this.#way;
    const predict = new Predict(question, chose);
    const { choice, done } = this.#kept;
    if (choice !== undefined && question.choices[choice]) predict.choose(choice);
    if (done) predict.settle();
    this.#predict = predict;
    this.#question.replaceChildren(predict.node);
  }

  /** @param {number} step */
  #at(step) {
    if (this.#lessons.length < 2) return;
    this.pair.at(step);
    this.terms.at(step);
    const [usual, way] = this.#lessons.map((lesson) => termsAt(lesson, step));
    this.frame.show(usual);
    this.frame.show({ loss_other: way.reconstruction + this.#lessons[1].beta * way.kl });
    this.frame.show(Object.fromEntries(Object.entries(way).map(([name, value]) => [`${name}_other`, value])));
    if (step === this.#lessons[1].columns.step.at(-1) && !this.#kept.done) {
      this.#keep({ done: true });
      this.#predict?.settle();
      this.#mark();
      this.frame.done();
    }
  }

  /** Marks the way that is shown, and those that were played. */
  #mark() {
    for (const [way, node] of this.#buttons) {
      node.ariaPressed = String(way === this.#way);
      node.classList.toggle("live-was", Boolean(keptOf(`break/${way.lesson}`).done));
    }
  }
}
