// The form's fields. Gradio makes them; here each gets an i that explains it. Those for numbers get their arrow keys, and
// their blur reaches Gradio, which changes the run then, only after typing.

import { numberField } from "../shared/number.js";
import { SETTINGS } from "../shared/vocabulary.js";
import { word } from "../words/word.js";

/** @import { Component } from "../shared/types.js" */

const ID = "number-"; // before a setting's name
const TITLES = ["number", "choice"].map((kind) => `[id^="${kind}-"] [data-testid="block-info"]:not(:has(span))`).join();

/**
 * The fields of the form around this component.
 *
 * @param {Component} component
 */
export function mount({ element }) {
  const form = /** @type {HTMLElement} */ (element.closest(".train-settings"));
  /** @type {WeakSet<HTMLInputElement>} */
  const known = new WeakSet();
  const look = () => {
    for (const input of inputs(form)) if (!known.has(input)) begin(input);
    for (const title of form.querySelectorAll(TITLES)) explain(title);
  };
  const begin = (/** @type {HTMLInputElement} */ input) => {
    known.add(input);
    const { title, low, high, step } = settingOf(input);
    input.ariaLabel = title; // without the hint, which Gradio puts into the label
    numberField(input, { low, high, step }, { goesBack: belongsToRun });
  };
  new MutationObserver(look).observe(form, { childList: true, subtree: true }); // a folded part comes when it is opened
  look();
}

/** @param {Element} title of a field whose id is a kind and a term's name */
function explain(title) {
  const { id } = /** @type {HTMLElement} */ (title.closest("[id]"));
  title.append(word(id.replace(/^\w+-/, "")));
}

/**
 * @param {HTMLElement} form
 * @returns {NodeListOf<HTMLInputElement>}
 */
const inputs = (form) => form.querySelectorAll(`[id^="${ID}"] input`);

/** @param {HTMLInputElement} input */
function settingOf(input) {
  const { id } = /** @type {HTMLElement} */ (input.closest(`[id^="${ID}"]`));
  return SETTINGS[id.slice(ID.length)];
}

/** Whether the form shows a run's settings, so that a step which was not confirmed would tell of one that is not. */
const belongsToRun = () =>
  /** @type {HTMLButtonElement | null} */ (document.querySelector("#train"))?.disabled === true;
