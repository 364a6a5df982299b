// Tabs within the Latents tab: a list of them, of which one shows its panel. The arrow keys go from one to the next.

import { make } from "../shared/page.js";

/** @typedef {{ name: string, title: string, content: HTMLElement }} Part */

/** @type {Record<string, (at: number, count: number) => number>} */
const STEPS = {
  ArrowLeft: (at, count) => (at + count - 1) % count,
  ArrowRight: (at, count) => (at + 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/**
 * Tabs for these parts.
 *
 * @param {string} label of the list
 * @param {Part[]} parts
 * @param {string} first the name of the part that is shown; the first one's where there is no such part
 * @param {(name: string, at: number) => void} chosen called with the part that is shown, now and after each choice
 */
export function tabs(label, parts, first, chosen) {
  const buttons = parts.map(({ name, title }) => button(name, title));
  const panels = parts.map(({ name, content }, n) => panel(name, content, buttons[n].id));
  const list = make("div", { className: "live-tablist", role: "tablist", ariaLabel: label }, ...buttons);
  const choose = (/** @type {number} */ at) => {
    buttons.forEach((each, n) => {
      each.ariaSelected = String(n === at);
      each.tabIndex = n === at ? 0 : -1;
      panels[n].hidden = n !== at;
    });
    chosen(parts[at].name, at);
  };
  buttons.forEach((each, at) => {
    each.onclick = () => choose(at);
    each.onkeydown = (event) => {
      const to = STEPS[event.key]?.(at, parts.length);
      if (to === undefined) return;
      event.preventDefault();
      choose(to);
      buttons[to].focus();
    };
  });
  choose(
    Math.max(
      0,
      parts.findIndex(({ name }) => name === first),
    ),
  );
  return make("div", { className: "live-ways" }, list, ...panels);
}

/**
 * @param {string} name
 * @param {string} title
 */
function button(name, title) {
  const node = make("button", { type: "button", id: `latents-tab-${name}`, role: "tab" }, title);
  node.setAttribute("aria-controls", `latents-${name}`);
  return node;
}

/**
 * @param {string} name
 * @param {HTMLElement} content
 * @param {string} titled the id of its tab
 */
function panel(name, content, titled) {
  const node = make("section", { id: `latents-${name}`, role: "tabpanel" }, content);
  node.setAttribute("aria-labelledby", titled);
  return node;
}
