// The parts of a card, of which one is shown with what belongs to it.

import { make } from "../../shared/page.js";

/** @typedef {{ title: string, node: HTMLElement, of: HTMLElement[] }} Act of: what else is shown with it only */

/**
 * Buttons that choose an act: `node` has them and the acts.
 *
 * @param {string} label
 * @param {Act[]} all
 */
export function acts(label, all) {
  const made = {
    at: 0,
    /** @type {(at: number) => void} */
    onChoose: () => {},
    choose(/** @type {number} */ at) {
      made.at = at;
      for (const [n, { node, of }] of all.entries()) {
        for (const it of [node, ...of]) it.hidden = n !== at;
        buttons[n].ariaPressed = String(n === at);
      }
      made.onChoose(at);
    },
    node: make("div", { className: "live-acts" }),
  };
  const buttons = all.map(({ title }, at) => make("button", { type: "button", onclick: () => made.choose(at) }, title));
  const list = make("div", { className: "live-choices", role: "group", ariaLabel: label }, ...buttons);
  made.node.append(list, ...all.map(({ node }) => node));
  made.choose(0);
  return made;
}
