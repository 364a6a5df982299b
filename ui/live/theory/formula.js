// A formula whose terms tell when they are pointed at, by mouse, touch or keyboard.

import { make } from "../shared/page.js";
import { typeset } from "../words/typeset.js";

const TERM = /(?:^|\s)term-(\w+)/;

/** A formula: `node`. */
export class Formula {
  node = make("div", { className: "live-formula" });

  /**
   * @param {string} latex with \term{name}{…} for each term
   * @param {(term: string | null) => void} pointed a term is pointed at, or none any more
   */
  constructor(latex, pointed) {
    this.pointed = pointed;
    this.#typeset(latex);
  }

  /** @param {string} latex */
  async #typeset(latex) {
    await typeset(this.node, latex);
    for (const part of this.node.querySelectorAll(".katex-html [class*=term-]")) {
      const [, term] = part.className.match(TERM) ?? [];
      if (term) this.#listen(/** @type {HTMLElement} */ (part), term);
    }
  }

  /**
   * @param {HTMLElement} part
   * @param {string} term
   */
  #listen(part, term) {
    part.tabIndex = 0;
    part.role = "button";
    part.ariaLabel = `What ${part.textContent} is now`;
    const on = () => this.pointed(term);
    const off = () => this.pointed(null);
    part.addEventListener("pointerenter", on);
    part.addEventListener("focus", on);
    part.addEventListener("click", on);
    part.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && off());
    part.addEventListener("blur", off);
    part.closest(".katex-html")?.removeAttribute("aria-hidden"); // its parts can be come to by the keyboard
  }
}
