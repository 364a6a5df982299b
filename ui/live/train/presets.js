// Set-ups to start from, each with how long it takes here; a press fills the form.

import { isShared } from "../page/followed.js";
import { feed, show as onFeed } from "../shared/feed.js";
import { duration, make, rootOf } from "../shared/page.js";
import { STATES } from "../shared/vocabulary.js";
import { hidden } from "./hide.js";

/** @import { Component } from "../shared/types.js" */
/** @typedef {{ title: string, shows: string, seconds: number | null }} Preset seconds: null before it is measured */

/**
 * The presets; their value from Python is the list of them.
 *
 * @param {Component<Preset[]>} component
 */
export function mount({ element, props, watch, trigger }) {
  const node = rootOf(element);
  const list = make("div", { className: "live-presets", role: "group", ariaLabel: "Start from" });
  node.append(make("div", { className: "live-title" }, "Start from"), list);
  let chosen = "";
  /** @type {Map<string, HTMLButtonElement>} */
  const pills = new Map(); // by title
  const draw = () => {
    pills.clear();
    list.replaceChildren(...props.value.map(button));
  };
  const button = (/** @type {Preset} */ { title, shows, seconds }) => {
    const takes = seconds === null ? "" : ` · ${duration(Math.max(1, seconds))}`;
    const pill = make("button", { type: "button", title: shows, textContent: title + takes });
    pill.ariaPressed = String(title === chosen);
    pill.onclick = () => {
      chosen = title;
      for (const [name, each] of pills) each.ariaPressed = String(name === chosen); // the same buttons: focus stays
      trigger("chosen", { title, hidden: hidden() });
    };
    pills.set(title, pill);
    return pill;
  };
  watch("value", draw);
  draw();
  onFeed(element, () => {
    node.hidden = Boolean(STATES[feed.state]?.keeps_form) && !isShared(); // the form shows what that run was started with
  });
}
