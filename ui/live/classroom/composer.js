// The form by which the lecturer asks: a question of a theory card, or one that is typed.

import { make } from "../shared/page.js";
import { CARDS } from "../theory/cards.js";

/** @typedef {{ text: string, options: string[], right: number | null, card: string }} Question */

const OWN = "A question of my own";
const HINT = "One answer a line, two to six of them";

/**
 * @param {(question: Question) => void} ask
 * @returns {HTMLFormElement}
 */
export function composer(ask) {
  const choice = make(
    "select",
    { className: "live-field", ariaLabel: "Question" },
    make("option", { value: "", textContent: OWN }),
  );
  for (const { name, short, question } of CARDS)
    if (question) choice.append(make("option", { value: name, textContent: `${short}: ${plain(question.text)}` }));
  const text = make("textarea", {
    className: "live-field",
    rows: 2,
    placeholder: "The question",
    ariaLabel: "The question",
  });
  const answers = make("textarea", {
    className: "live-field",
    rows: 4,
    placeholder: HINT,
    ariaLabel: "The answers, one a line",
  });
  const button = make("button", { type: "submit", className: "live-primary", textContent: "Ask all" });
  const form = make("form", { className: "live-class-ask" }, choice, text, answers, button);
  const chosen = () => CARDS.find(({ name }) => name === choice.value);
  choice.onchange = () => {
    const question = chosen()?.question;
    for (const field of [text, answers]) field.readOnly = Boolean(question);
    text.value = question?.text ?? "";
    answers.value = question?.choices.join("\n") ?? "";
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const card = chosen();
    const options = answers.value.split("\n").map((it) => it.trim());
    ask({
      text: text.value,
      options: options.filter(Boolean),
      right: card?.question?.right ?? null,
      card: card?.name ?? "",
    });
  };
  return form;
}

/** A text without the signs around its formulas. @param {string} text */
const plain = (text) => text.replaceAll("$", "").replaceAll("\\", "");
