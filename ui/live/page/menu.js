// A menu behind a button with three dots, for what is rarely needed.

import { make } from "../shared/page.js";

/** @typedef {{ text: string, act: () => void, title?: string }} Item */

const EDGE = 8; // px that stay free between the menu and the edges of the screen

/**
 * The button, with its menu beside it.
 *
 * @param {string} label what the button is called
 * @param {() => Item[]} items what the menu offers, asked whenever it opens
 */
export function menu(label, items) {
  const list = make("div", { className: "live-menu", popover: "auto", role: "menu", ariaLabel: label });
  const button = make("button", { type: "button", className: "live-quiet", ariaLabel: label, title: label }, "⋯");
  button.setAttribute("aria-haspopup", "menu");
  button.ariaExpanded = "false";
  button.popoverTargetElement = list;
  const entry = (/** @type {Item} */ { text, act, title = "" }) => {
    const node = make("button", { type: "button", role: "menuitem", tabIndex: -1, title }, text);
    node.onclick = () => {
      list.hidePopover();
      act();
    };
    return node;
  };
  const leave = () => list.hidePopover();
  list.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    list.replaceChildren(...items().map(entry));
    list.style.visibility = "hidden"; // until it is in its place
  });
  list.addEventListener("toggle", ({ newState }) => {
    const isOpen = newState === "open";
    button.ariaExpanded = String(isOpen);
    if (!isOpen) return;
    place(list, button);
    move(list, "Home");
    addEventListener("scroll", leave, { capture: true, once: true }); // it would stay where the button was
  });
  list.onkeydown = (event) => {
    if (event.key === "Tab") leave();
    else if (move(list, event.key)) event.preventDefault();
  };
  button.onkeydown = (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    list.showPopover({ source: button });
  };
  return make("span", { className: "live-more" }, button, list);
}

/**
 * Moves the focus within a menu, if that key does so.
 *
 * @param {HTMLElement} list
 * @param {string} key
 */
function move(list, key) {
  const entries = [...list.querySelectorAll("button")];
  const now = entries.findIndex((entry) => entry.matches(":focus"));
  const last = entries.length - 1;
  const next = { Home: 0, End: last, ArrowDown: now < last ? now + 1 : 0, ArrowUp: now > 0 ? now - 1 : last }[key];
  if (next === undefined) return false;
  entries[next]?.focus();
  return true;
}

/**
 * Places a menu below its button, or above it where there is no room, within the screen.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement} button
 */
function place(list, button) {
  const at = button.getBoundingClientRect();
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const left = Math.min(at.right - list.offsetWidth, width - list.offsetWidth - EDGE);
  const isBelow = at.bottom + list.offsetHeight + EDGE <= height;
  list.style.left = `${Math.max(EDGE, left)}px`;
  list.style.top = `${Math.max(EDGE, isBelow ? at.bottom : at.top - list.offsetHeight)}px`;
  list.style.visibility = "";
}
