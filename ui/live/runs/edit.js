// A text that is edited where it stands: a press puts a field in its place, and what the server refuses stays in it.

import { make } from "../shared/page.js";

/**
 * label: of the field; offer: what stands there while there is no text; most: characters, any number if undefined;
 * keep: gives the text to the server, and tells what is wrong with it, or "".
 *
 * @typedef {{
 *   className: string, label: string, title: string, offer: string, isLong: boolean, most?: number,
 *   keep: (text: string) => Promise<string>,
 * }} How
 */

/** A text and its field; lay out its node. */
export class InPlace {
  #text = "";
  /** @type {HTMLInputElement | HTMLTextAreaElement | null} */
  #field = null;
  #isAsking = false;
  #button;
  #why = make("small", { role: "alert" });

  /** @param {How} how */
  constructor(how) {
    this.how = how;
    this.#button = make("button", { type: "button", className: how.className, title: how.title });
    this.#button.onclick = () => this.#open();
    this.node = make("div", { className: "live-in-place" }, this.#button);
  }

  /**
   * Shows another text, unless somebody is editing it.
   *
   * @param {string} text
   */
  show(text) {
    if (this.#field) return;
    this.#text = text;
    const now = text || this.how.offer;
    if (this.#button.textContent !== now) this.#button.textContent = now;
    this.#button.classList.toggle("live-offer", !text);
  }

  #open() {
    const { label: ariaLabel, isLong, most } = this.how;
    const field = isLong
      ? make("textarea", { rows: 3, ariaLabel, value: this.#text })
      : make("input", { type: "text", ariaLabel, value: this.#text });
    if (most) field.maxLength = most;
    this.#field = field;
    this.#why.textContent = "";
    field.onkeydown = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") this.#close(true);
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#keep(true);
    };
    field.onblur = () => this.#keep(false);
    this.node.replaceChildren(field, this.#why);
    field.focus();
    field.select();
  }

  /** @param {boolean} goesBack whether the focus goes back to the text */
  #close(goesBack) {
    this.#field = null; // before it goes: that takes its focus away too
    this.node.replaceChildren(this.#button);
    if (goesBack) this.#button.focus();
  }

  /** @param {boolean} byKey whether Enter was pressed, else the field was left */
  async #keep(byKey) {
    const field = this.#field;
    if (!field || this.#isAsking) return;
    this.#isAsking = true;
    const wrong = field.value === this.#text ? "" : await this.how.keep(field.value);
    this.#isAsking = false;
    if (this.#field !== field) return; // Escape has closed it while the server was asked
    if (!wrong) {
      const kept = field.value.trim();
      this.#close(byKey);
      this.show(kept);
      return;
    }
    this.#why.textContent = wrong; // the table may be longer than the screen
    if (byKey) field.focus();
  }
}
