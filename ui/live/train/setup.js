// The set-up in the link: every setting of the form that is not the default stands in the address, so that a reload
// keeps it and "Copy link" hands it out.

import { debounced } from "../shared/ask.js";
import { make, rootOf } from "../shared/page.js";

/** @import { Component } from "../shared/types.js" */
/** @typedef {Record<string, { default: string, choices: Record<string, string> }>} Fields choices: value by title */

const REST = 300; // ms after which the address follows
const SAID = 2500; // ms for which the button says that it has copied
const COPY = "Copy link to this set-up";

/**
 * The button; its value from Python is what each field of the form holds by default, and what its choices stand for.
 *
 * @param {Component<Fields>} component
 */
export function mount({ element, props }) {
  const form = /** @type {HTMLElement} */ (element.closest(".train-settings"));
  const button = make("button", { type: "button", className: "live-quiet", textContent: COPY });
  rootOf(element).append(button);
  const write = debounced(() => rewrite(form, props.value), REST);
  for (const event of ["input", "change", "focusout", "click"]) form.addEventListener(event, () => write());
  form.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("#presets button")) forget(Object.keys(props.value));
  });
  button.onclick = async () => {
    rewrite(form, props.value);
    await navigator.clipboard?.writeText(location.href).then(
      () => say(button, "Copied"),
      () => say(button, "The address bar has the link"),
    );
  };
}

/**
 * Takes settings out of the address: a preset sets those too whose fields are folded away.
 *
 * @param {string[]} names
 */
function forget(names) {
  const now = new URLSearchParams(location.search);
  for (const name of names) now.delete(name);
  replace(now);
}

/** @param {URLSearchParams} now */
function replace(now) {
  const address = `${location.pathname}?${now.toString().replaceAll("%2C", ",")}${location.hash}`;
  history.replaceState(history.state, "", address);
}

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
function say(button, text) {
  button.textContent = text;
  setTimeout(() => {
    button.textContent = COPY;
  }, SAID);
}

/**
 * Puts into the address what the form holds beside the defaults.
 *
 * @param {HTMLElement} form
 * @param {Fields} fields
 */
function rewrite(form, fields) {
  const now = new URLSearchParams(location.search);
  const before = now.toString();
  for (const [name, field] of Object.entries(fields)) {
    const value = heldBy(form, name, field);
    if (value === null) continue; // its part of the form was never opened: it is as it was
    if (value === field.default || value === "") now.delete(name);
    else now.set(name, value);
  }
  if (now.toString() !== before) replace(now);
}

/**
 * What a field holds, as the core calls it; null where the field is not on the page.
 *
 * @param {HTMLElement} form
 * @param {string} name
 * @param {Fields[string]} field
 */
function heldBy(form, name, { choices }) {
  const input = form.querySelector(`:is(#number-${name}, #choice-${name}) input`);
  if (!(input instanceof HTMLInputElement)) return null;
  return Object.keys(choices).length ? (choices[input.value] ?? "") : input.value.trim();
}
