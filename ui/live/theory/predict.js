// Predict, then see: a question before the visitor acts; what is right is said once a choice is made and the act is done.

import { make } from "../shared/page.js";
import { prose } from "./prose.js";

/** @import { Question } from "./cards.js" */

/** A question with its choices: `node`. */
export class Predict {
  /** @type {HTMLButtonElement[]} */
  #choices = [];
  /** @type {number | null} */
  #chosen = null;
  #isActDone = false;
  #verdict = make("p", { className: "live-verdict", role: "status" });

  /**
   * @param {Question} question
   * @param {(choice: number) => void} chose is told which
   */
  constructor(question, chose) {
    this.question = question;
    this.#choices = question.choices.map((text, n) => {
      const button = prose("button", text, "live-choice");
      button.type = "button";
      button.ariaPressed = "false";
      button.onclick = () => {
        this.choose(n);
        chose(n);
      };
      return button;
    });
    const choices = make("div", { className: "live-choices" }, ...this.#choices);
    this.node = make("section", { className: "live-predict" }, prose("p", question.text), choices, this.#verdict);
    this.node.ariaLabel = "Question";
  }

  /**
   * Commits to a choice, for good.
   *
   * @param {number} choice
   */
  choose(choice) {
    if (this.#chosen !== null) return;
    this.#chosen = choice;
    for (const [n, button] of this.#choices.entries()) {
      button.ariaPressed = String(n === choice);
      button.disabled = n !== choice;
    }
    this.#verdict.textContent = this.question.act;
    if (this.#isActDone) this.#reveal();
  }

  /** The act is done: says what is right, unless there is no choice yet. */
  settle() {
    this.#isActDone = true;
    if (this.#chosen !== null) this.#reveal();
  }

  #reveal() {
    const { right, because } = this.question;
    const isRight = this.#chosen === right;
    for (const [n, button] of this.#choices.entries()) {
      button.classList.toggle("live-right", n === right);
      button.classList.toggle("live-wrong", n === this.#chosen && n !== right);
      button.disabled = true;
    }
    this.#verdict.replaceChildren(make("strong", {}, isRight ? "Right. " : "Not so. "), prose("span", because));
    this.node.classList.add("live-settled");
  }
}
