// The box that explains a word: one sentence, the formula, the value now, and the way to where it can be touched.

import { make } from "../shared/page.js";
import { TERMS } from "./glossary.js";
import { canSee, invitation, see } from "./see.js";
import { typeset } from "./typeset.js";
import { valueNow } from "./values.js";

const EDGE = 8; // px that stay free between the box and the edges of the screen
const AGAIN = 250; // ms between two looks at the value

const title = make("h4", { id: "word-title" });
const sentence = make("p");
const also = make("small");
const formula = make("div", { className: "live-formula", tabIndex: -1 });
const value = make("output");
const now = make("p", { className: "live-now" }, "now ", value);
const lead = make("button", { type: "button", onclick: () => lead.value && follow(lead.value) });
const box = make(
  "div",
  { className: "live live-explained", popover: "manual", tabIndex: -1, role: "dialog" },
  title,
  sentence,
  formula,
  also,
  now,
  lead,
);
box.setAttribute("aria-labelledby", title.id);

/** @type {{ word: HTMLElement, isPinned: boolean, timer: number } | null} */
let open = null;

/** The word that is explained, and whether the box stays when the pointer leaves; null if none is. */
export const explained = () => open;

/** @param {Node} node */
export const isInBox = (node) => box.contains(node);

/**
 * Opens the box at a word.
 *
 * @param {HTMLElement} word
 * @param {boolean} isPinned it stays until it is closed, and takes the focus
 */
export async function explain(word, isPinned) {
  close();
  const term = word.dataset.term ?? "";
  open = { word, isPinned, timer: window.setInterval(() => showValue(term), AGAIN) };
  const { title: name, sentence: text, formula: latex, also: others } = TERMS[term];
  title.textContent = name;
  sentence.textContent = text;
  also.textContent = others.length ? `Also called ${others.join(", ")}.` : "";
  formula.hidden = !latex;
  lead.hidden = !canSee(term, word);
  lead.textContent = lead.hidden ? "" : invitation(term);
  lead.value = term;
  showValue(term);
  (document.querySelector(".gradio-container") ?? document.body).append(box); // where KaTeX's style and the fonts hold
  box.showPopover();
  word.ariaExpanded = "true";
  place(word);
  if (isPinned) box.focus({ preventScroll: true });
  if (!latex) return;
  await typeset(formula, latex);
  if (open?.word === word) place(word);
}

/**
 * Closes the box.
 *
 * @param {boolean} [goesBack] the focus goes back to the word even from elsewhere than the box
 */
export function close(goesBack = false) {
  if (!open) return;
  const { word, timer } = open;
  open = null;
  clearInterval(timer);
  word.ariaExpanded = "false";
  const had = isInBox(document.activeElement ?? document.body);
  box.hidePopover();
  if (had || goesBack) word.focus({ preventScroll: true });
}

/** @param {string} term */
function follow(term) {
  close();
  see(term);
}

/** @param {string} term */
function showValue(term) {
  const text = valueNow(term);
  now.hidden = !text;
  if (value.textContent !== text) value.textContent = text;
}

/**
 * Places the box below its word, or above it where there is no room, within the screen. It scrolls with the page.
 *
 * @param {HTMLElement} word
 */
function place(word) {
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const at = word.getBoundingClientRect();
  const within = (/** @type {number} */ from, /** @type {number} */ size, /** @type {number} */ room) =>
    Math.max(EDGE, Math.min(from, room - size - EDGE));
  const below = at.bottom + EDGE;
  const fits = below + box.offsetHeight + EDGE <= height;
  const top = fits ? below : Math.max(EDGE, at.top - box.offsetHeight - EDGE);
  box.style.left = `${within(at.left, box.offsetWidth, width) + scrollX}px`;
  box.style.top = `${within(top, box.offsetHeight, height) + scrollY}px`;
}

box.addEventListener("keydown", (event) => {
  if (event.key !== "Tab") return;
  const last = lead.hidden ? box : lead;
  const leaves = event.shiftKey ? document.activeElement !== lead : document.activeElement === last;
  if (leaves) close(); // the focus is on the word again, and goes on from there
});
