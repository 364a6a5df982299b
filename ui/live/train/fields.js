// The form's fields. Gradio makes them; here each gets an i that explains it, and its mark if it cannot be used. Those
// for numbers get their arrow keys, and their blur reaches Gradio, which changes the run then, only after typing.

import { isShared } from "../page/followed.js";
import { FAULTS } from "../runs/continuing.js";
import { feed } from "../shared/feed.js";
import { numberField } from "../shared/number.js";
import { SETTINGS, STATES } from "../shared/vocabulary.js";
import { word } from "../words/word.js";
import { Faults } from "./faults.js";

/** @import { Component } from "../shared/types.js" */

const ID = "number-"; // before a setting's name
const TITLES = ["number", "choice"].map((kind) => `[id^="${kind}-"] [data-testid="block-info"]:not(:has(span))`).join();

/**
 * The fields of the form around this component, whose value from Python says which of them are at fault.
 *
 * @param {Component<{ faults: Record<string, string> }>} component
 */
export function mount({ element, props, watch }) {
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
  const faults = new Faults(form);
  watch("value", () => faults.show(props.value.faults));
  addEventListener(FAULTS, (event) => faults.show(/** @type {CustomEvent} */ (event).detail));
  form.addEventListener("input", ({ target }) => target instanceof Element && faults.typed(target));
  form.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("#presets button")) faults.show({});
  });
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
const belongsToRun = () => Boolean(STATES[feed.state]?.keeps_form) && !isShared();
