// The deck of cards: one of them is shown, and ways lead to the others: buttons, PgUp and PgDn, swipes, and a list.

import { choices } from "../map/choices.js";
import { useModelIn } from "../page/leads.js";
import { inSight } from "../shared/feed.js";
import { model, onModel } from "../shared/model.js";
import { make, openTab, shownTab } from "../shared/page.js";
import { CARDS, PLANE_MODEL, SHORT_WAY } from "./cards.js";
import { keptOf } from "./done.js";
import { Frame } from "./frame.js";
import { ImageInHand } from "./image.js";

/** @import { Component, Server } from "../shared/types.js" */
/** @import { Card } from "./cards.js" */
/** @import { Picture } from "./frame.js" */
/**
 * @typedef {Server} Functions of the server, as far as the Theory tab may call them
 * @typedef {Component<{ model: string | null }, keyof Server>} Place its value says which model looks
 * @typedef {{ frame: Frame, picture: Promise<Picture> }} Built
 */

const SWIPE = 60; // px, to the side and not up or down
const FREE = "button, input, select, textarea, canvas, svg, summary, [role=slider], [role=button]"; // moves by itself

/** The deck: `node`. */
export class Deck {
  /** @type {Map<string, Built>} the cards that were shown, and apart from them what they say that lack something */
  #built = new Map();
  /** @type {Built | null} */
  #shown = null;
  /** @type {Card} */
  #card = CARDS[0];
  #place = make("div", { className: "live-deck-card" });
  #back = make("button", { type: "button" });
  #next = make("button", { type: "button" });
  #dots = make("span", { className: "live-dots", ariaHidden: "true" });
  #list = make("dialog", { className: "live-dialog live-deck-list", ariaLabel: "All cards" });
  #jump = make("button", { type: "button", className: "live-quiet" });
  #short = make("button", { type: "button", className: "live-quiet live-short" });
  #isShort = false;
  #isNew = true; // until the first card is shown
  #note = make("p", { className: "live-message", role: "status" });

  /** @param {Place} component */
  constructor(component) {
    this.component = component;
    this.image = new ImageInHand(/** @type {Functions} */ (component.server), (text) => this.#shown?.frame.say(text));
    this.#back.onclick = () => this.#go(-1);
    this.#next.onclick = () => (this.#card === this.#way[this.#way.length - 1] ? openTab("train") : this.#go(1));
    this.#jump.onclick = () => this.#openList();
    this.#short.onclick = () => this.#shorten(!this.#isShort);
    this.#list.onclick = ({ target }) => target === this.#list && this.#list.close();
    const middle = make("div", { className: "live-deck-middle" }, this.#dots, this.#jump, this.#short);
    const foot = make("nav", { className: "live-deck-foot", ariaLabel: "Cards" }, this.#back, middle, this.#next);
    this.node = make("div", { className: "live-deck" }, this.#note, this.#place, foot, this.#list);
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#listenToSwipes();
    addEventListener("vae-card", (event) => this.#open(/** @type {CustomEvent<string>} */ (event).detail));
    onModel(() => {
      if (this.#shown && this.#shown !== this.#of(this.#card)) this.show(this.#card);
    });
  }

  /** Opens the card that the address names, or the first. */
  begin() {
    const { card: wanted, short } = choices;
    const found = CARDS.find(({ name }) => name === wanted);
    if (wanted && !found) this.#note.textContent = `There is no card “${wanted}”: this is the first one.`;
    this.#isShort = Boolean(short);
    this.show(found ?? CARDS[0]);
    this.#isNew = false;
  }

  /**
   * Shows the card that another part of the page names.
   *
   * @param {string} name the first card's if it is empty
   */
  #open(name) {
    const card = CARDS.find((it) => it.name === name) ?? CARDS[0];
    if (this.#shown && card !== this.#card) this.show(card);
  }

  /** The cards of the way that is gone. */
  get #way() {
    return this.#isShort ? CARDS.filter(({ name }) => SHORT_WAY.includes(name)) : CARDS;
  }

  /** @param {Card} card */
  async show(card) {
    this.#leave();
    if (!this.#isNew) this.#note.textContent = "";
    this.#card = card;
    const built = this.#of(card);
    this.#shown = built;
    this.#place.replaceChildren(built.frame.node);
    this.#mark();
    choices.card = card === CARDS[0] ? "" : card.name;
    choices.short = this.#isShort ? "1" : "";
    dispatchEvent(new Event("vae-view"));
    const picture = await built.picture;
    if (this.#shown !== built) return;
    built.frame.refresh();
    this.look();
    picture.shown?.();
  }

  /** Has the image looked at as long as it is shown, and the machine has not its own way. */
  look() {
    this.image.want(inSight(this.component.element) && this.#card !== CARDS[0]);
  }

  #leave() {
    this.#shown?.picture.then((picture) => picture.hidden?.());
  }

  /**
   * A card, built when it is first shown; where the model lacks what the card needs, one that offers another model.
   *
   * @param {Card} card
   */
  #of(card) {
    const isLacking = card.needs === "plane" && hasPlane() === false;
    const key = isLacking ? `${card.name} without a plane` : card.name;
    const built = this.#built.get(key) ?? this.#build(card, isLacking);
    this.#built.set(key, built);
    return built;
  }

  /**
   * @param {Card} card
   * @param {boolean} isLacking
   * @returns {Built}
   */
  #build(card, isLacking) {
    const frame = new Frame(card, {
      number: CARDS.indexOf(card) + 1,
      image: this.image,
      server: /** @type {Functions} */ (this.component.server),
      done: () => this.#mark(),
    });
    if (isLacking) frame.picture.append(offer());
    return { frame, picture: isLacking ? Promise.resolve({}) : this.#draw(card, frame) };
  }

  /**
   * Has a card's module fill its frame, as soon as there is a model that has what the card needs.
   *
   * @param {Card} card
   * @param {Frame} frame
   * @returns {Promise<Picture>}
   */
  async #draw(card, frame) {
    if (card.needs === "plane") await aPlane();
    return (await import(`./${card.module}.js`)).build(frame, this.component);
  }

  /** @param {1 | -1} way */
  #go(way) {
    const cards = this.#way;
    const at = cards.indexOf(this.#card);
    // from a card beside the short way, to the nearest of it
    const from = CARDS.indexOf(this.#card);
    const beside =
      way > 0 ? cards.find((it) => CARDS.indexOf(it) > from) : cards.findLast((it) => CARDS.indexOf(it) < from);
    const to = at < 0 ? beside : cards[at + way];
    if (!to) return;
    this.show(to);
    scrollTo({ top: 0 });
  }

  /** @param {boolean} isShort */
  #shorten(isShort) {
    this.#isShort = isShort;
    const way = this.#way;
    const from = CARDS.indexOf(this.#card);
    const next = way.find((it) => CARDS.indexOf(it) >= from) ?? way[way.length - 1];
    this.show(next);
  }

  /** Says where the shown card stands, and which are done. */
  #mark() {
    const way = this.#way;
    const at = way.indexOf(this.#card);
    const [before, after] = [way[at - 1], way[at + 1]];
    this.#back.hidden = !before;
    if (before) this.#back.replaceChildren("← ", make("span", {}, before.short));
    this.#next.replaceChildren(make("span", {}, after?.short ?? "Train one yourself"), " →");
    this.#back.ariaLabel = before?.short ?? "";
    this.#next.ariaLabel = after?.short ?? "Train one yourself";
    this.#next.className = keptOf(this.#card.name).done ? "live-primary" : "";
    this.#jump.textContent = `${at + 1} / ${way.length}`;
    this.#jump.ariaLabel = `Card ${at + 1} of ${way.length}: choose another`;
    const isFirst = this.#card === CARDS[0] && !this.#isShort; // its screen has few words and few controls
    this.#jump.hidden = isFirst;
    this.#short.hidden = isFirst;
    this.#short.textContent = this.#isShort ? "All cards" : "Short way";
    this.#dots.replaceChildren(
      ...way.map((it) => {
        const dot = make("i");
        dot.classList.toggle("live-here", it === this.#card);
        dot.classList.toggle("live-was", Boolean(keptOf(it.name).done));
        return dot;
      }),
    );
  }

  #openList() {
    const line = (/** @type {Card} */ card) => {
      const choose = () => {
        this.#list.close();
        if (!this.#way.includes(card)) this.#isShort = false;
        this.show(card);
      };
      const mark = make("span", { className: "live-was-done" }, keptOf(card.name).done ? "✓" : "");
      const name = make("strong", {}, `${CARDS.indexOf(card) + 1} ${card.short}`);
      const node = make("button", { type: "button", onclick: choose }, mark, name, make("span", {}, card.claim));
      if (card === this.#card) node.ariaCurrent = "true";
      return make("li", {}, node);
    };
    this.#list.replaceChildren(make("ol", {}, ...CARDS.map(line)));
    this.#list.showModal();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const way = { PageDown: 1, PageUp: -1 }[event.key];
    if (!way || shownTab() !== "theory" || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.#go(/** @type {1 | -1} */ (way));
  }

  #listenToSwipes() {
    /** @type {PointerEvent | null} */
    let from = null;
    this.#place.addEventListener("pointerdown", (event) => {
      const isFree = event.target instanceof Element && !event.target.closest(FREE);
      from = event.pointerType === "touch" && isFree ? event : null;
    });
    this.#place.addEventListener("pointercancel", () => {
      from = null;
    });
    this.#place.addEventListener("pointerup", (event) => {
      if (!from) return;
      const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
      from = null;
      if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) this.#go(x < 0 ? 1 : -1);
    });
  }
}

/** Whether the model has two dimensions; null before it is known. */
const hasPlane = () => model.about && model.about.dims.length === 2;

/** Waits until the model in use has two dimensions. */
const aPlane = () =>
  new Promise((/** @type {(_: void) => void} */ resolve) => {
    onModel(() => hasPlane() && resolve());
  });

/** What a card says that needs a plane, where the model has none: it offers one that has. */
function offer() {
  const use = make("button", { type: "button", className: "live-primary" }, "Use a model with two dimensions");
  use.onclick = () => useModelIn("theory", PLANE_MODEL);
  const text = "This card needs a model with two latent dimensions, where the true posterior can be seen.";
  return make("div", { className: "live-needs" }, make("p", {}, text), use);
}
