// The set-up in the link: every setting of the form that is not the default stands in the address, so that a reload
// keeps it and "Copy link" hands it out.

import { addressWith, putAddress } from "../page/link.js";
import { debounced } from "../shared/ask.js";
import { make, rootOf } from "../shared/page.js";
import { SETTINGS } from "../shared/vocabulary.js";
import { handOut, hidden, hide } from "./hide.js";

/** @import { Component } from "../shared/types.js" */
/** @import { Part } from "./hide.js" */
/** @typedef {Record<string, { default: string, choices: Record<string, string> }>} Fields choices: value by title */

const REST = 300; // ms after which the address follows

/**
 * The button; its value from Python is what each field of the form holds by default, what its choices stand for, and
 * which parts of the form a link may hide.
 *
 * @param {Component<{ fields: Fields, parts: Record<string, Part> }>} component
 */
export function mount({ element, props }) {
  const { fields, parts } = props.value;
  const form = /** @type {HTMLElement} */ (element.closest(".train-settings"));
  const button = make("button", { type: "button", className: "live-quiet" }, "Copy link to this set-up");
  const dialog = handOut(parts);
  rootOf(element).append(button, dialog.node);
  hide(parts);
  const write = debounced(() => rewrite(form, fields), REST);
  for (const event of ["input", "change", "focusout", "click"]) form.addEventListener(event, () => write());
  form.addEventListener("click", ({ target }) => {
    const isPreset = target instanceof Element && target.closest("#presets button");
    const kept = hidden().flatMap((part) => parts[part]?.settings ?? []);
    if (isPreset) forget(Object.keys(fields).filter((name) => !kept.includes(name)));
  });
  button.onclick = () => {
    rewrite(form, fields);
    dialog.open();
  };
}

/** Takes the whole set-up out of the address: Python has filled the form. */
export const forgetSetUp = () => forget(["data", ...Object.keys(SETTINGS)]);

/**
 * Takes settings out of the address: a preset sets those too whose fields are folded away.
 *
 * @param {string[]} names
 */
function forget(names) {
  const now = new URLSearchParams(location.search);
  for (const name of names) now.delete(name);
  putAddress(addressWith(now));
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
  if (now.toString() !== before) putAddress(addressWith(now));
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
