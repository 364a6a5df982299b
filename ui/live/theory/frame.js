// The frame of a card: its claim, text, formula, numbers and question, and the place of its picture, which a module of
// its own fills.

import { make, minus, openTab } from "../shared/page.js";
import { bring } from "../words/see.js";
import { keepOf, keptOf } from "./done.js";
import { Formula } from "./formula.js";
import { drawer } from "./lines.js";
import { Predict } from "./predict.js";
import { prose } from "./prose.js";

/** @import { Card } from "./cards.js" */
/** @import { ImageInHand } from "./image.js" */
/** @import { Functions } from "./deck.js" */
/**
 * What a card's module exports as `build`; what it returns is told when the card comes into sight and leaves it.
 *
 * @typedef {(frame: Frame) => Picture} Build
 * @typedef {{ shown?: () => void, hidden?: () => void }} Picture
 * @typedef {number | string | null} Value a number is shown with two digits; null stands for one that is not finite
 */

const DIGITS = 2;
const NONE = "–"; // in place of a number

/** A card. Its module fills `picture`, `numbers` and `buttons`, says what the values are, and when the act is done. */
export class Frame {
  /** Takes the picture. */
  picture = make("div", { className: "live-card-picture" });
  /** Takes the numbers that follow, below the formula. */
  numbers = make("div", { className: "live-card-numbers" });
  /** Takes the card's own buttons. */
  buttons = make("div", { className: "live-buttons" });
  #code = make("p", { className: "live-code-line" });
  #message = make("p", { className: "live-message", role: "status" });
  #lead = make("button", { type: "button", className: "live-quiet" });
  /** @type {Predict | null} */
  #predict = null;
  /** @type {Record<string, Value>} */
  #values = {};
  isDone = false;

  /**
   * @param {Card} card
   * @param {{ number: number, image: ImageInHand, server: Functions, done: () => void }} given number: of the card;
   *   done: is told that the act is done
   */
  constructor(card, { number, image, server, done }) {
    this.card = card;
    this.image = image;
    this.server = server;
    this.onDone = done;
    this.pointed = (/** @type {string | null} */ term) => this.#point(term);
    const text = make("div", { className: "live-card-text" });
    text.append(
      make("p", { className: "live-card-name" }, `${number} · ${card.short}`),
      make("h2", { className: "live-claim" }, card.claim),
    );
    if (card.text) text.append(prose("p", card.text, "live-says"));
    if (card.formula) text.append(new Formula(card.formula, this.pointed).node, this.#code);
    const lines = drawer(card, this.pointed);
    text.append(this.numbers, ...this.#ask(), this.#foot(lines?.handle), this.#message);
    if (lines) text.append(lines.node);
    const [group] = card.module.split("/"); // whose own style must not reach other cards
    this.node = make(
      "article",
      { className: `live-card live-card-${card.name} live-cards-${group}` },
      text,
      this.picture,
    );
    this.node.ariaLabel = card.claim;
    if (this.isDone) this.node.dataset.done = "";
  }

  /** The question, as far as it was answered before. */
  #ask() {
    const { question, name } = this.card;
    if (!question) return [];
    const { choice, done } = keptOf(name);
    const chose = (/** @type {number} */ n) => keepOf(name, { choice: n });
    this.#predict = new Predict(question, chose);
    if (choice !== undefined && question.choices[choice]) this.#predict.choose(choice);
    this.isDone = Boolean(done);
    if (this.isDone) this.#predict.settle();
    return [this.#predict.node];
  }

  /** @param {HTMLElement} [handle] of the drawer */
  #foot(handle) {
    const { lead } = this.card;
    if (handle) this.buttons.append(handle);
    if (lead) {
      const title = document.querySelector(`[role="tab"][data-tab-id="${lead.tab}"]`)?.textContent?.trim();
      this.#lead.textContent = `Try it in ${title} →`;
      this.#lead.onclick = () => this.lead();
      this.buttons.append(this.#lead);
    }
    return this.buttons;
  }

  /** Opens where the card can be tried; a card that has something to set there first puts its own in this place. */
  lead() {
    if (!this.card.lead) return;
    openTab(this.card.lead.tab);
    if (this.card.lead.place) bring(this.card.lead.place);
  }

  /** The visitor has done what the card is about: its question is settled. */
  done() {
    if (this.isDone) return;
    this.isDone = true;
    this.node.dataset.done = "";
    keepOf(this.card.name, { done: true });
    this.#predict?.settle();
    this.onDone();
  }

  /**
   * Says something below the card's buttons; takes it back if it is empty.
   *
   * @param {string} text
   */
  say(text) {
    this.#message.textContent = text;
  }

  /**
   * Shows values wherever the card has their names: in its numbers, and line by line.
   *
   * @param {Record<string, Value>} values
   */
  show(values) {
    Object.assign(this.#values, values);
    for (const [name, value] of Object.entries(values))
      for (const node of this.#holders(name)) node.textContent = written(value);
  }

  /**
   * What is shown under a name.
   *
   * @param {string} name
   */
  valueOf(name) {
    return this.#values[name] ?? null;
  }

  /** Shows again what is known, in parts that have come since. */
  refresh() {
    this.show(this.#values);
  }

  /** @param {string} name @returns {NodeListOf<HTMLElement>} */
  #holders(name) {
    return this.node.querySelectorAll(`[data-value="${name}"]`);
  }

  /**
   * Marks the numbers of a term that is pointed at, and shows the line of the source that computes it.
   *
   * @param {string | null} term
   */
  #point(term) {
    for (const node of this.node.querySelectorAll(".live-marked")) node.classList.remove("live-marked");
    this.#code.replaceChildren();
    if (!term) return;
    for (const node of this.#holders(term)) node.classList.add("live-marked");
    const source = this.card.code[term];
    if (!source) return;
    const place = make("small", {}, `${source.file}, line ${source.line}`);
    this.#code.append(make("div", {}, make("code", {}, source.text), place));
  }
}

/** @param {Value} value */
function written(value) {
  if (value === null) return "not finite";
  if (typeof value === "string") return value || NONE;
  return minus(value.toFixed(DIGITS));
}
