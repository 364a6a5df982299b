// Words explained where they stand. Every <span data-term="kl"> of the page, whenever it comes, is a word of the
// glossary that opens its explanation by mouse, touch and keyboard: a dotted one, or, if it is empty, an i in a circle.

import { TERMS } from "./glossary.js";
import { close, explain, explained, isInBox } from "./popover.js";

const NEW = "span[data-term]:not([role])";
const REST = 400; // ms for which the pointer rests on a word until it opens
const AWAY = 300; // ms after which it closes when the pointer has left

let waiting = 0; // for the pointer to rest, or to come back

/** Makes buttons of the page's words, from now on. */
export function mount() {
  const look = () => {
    for (const word of document.querySelectorAll(NEW)) prepare(/** @type {HTMLElement} */ (word));
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed);
  document.addEventListener("pointerdown", ({ target }) => {
    if (target instanceof Node && !isInBox(target) && wordAt(target) !== explained()?.word) close();
  });
  document.addEventListener("pointerover", hovered);
}

/** @param {HTMLElement} word */
function prepare(word) {
  const term = TERMS[word.dataset.term ?? ""];
  if (!term) throw new Error(`The glossary has no term "${word.dataset.term}".`);
  word.role = "button";
  word.tabIndex = 0;
  word.ariaHasPopup = "dialog";
  word.ariaExpanded = "false";
  if (!word.textContent) word.ariaLabel = `Explain ${term.title}`;
}

/**
 * The word that a node is in; null if it is in none.
 *
 * @param {EventTarget | null} node
 * @returns {HTMLElement | null}
 */
const wordAt = (node) => (node instanceof Element ? node.closest("span[data-term]") : null);

/** @param {Event} event */
function clicked(event) {
  const word = wordAt(event.target);
  if (!word) return;
  event.preventDefault(); // a label around it would bring the focus to its field
  clearTimeout(waiting); // a pointer that has come to rest here must not open the box again: it would close on leaving
  const open = explained();
  if (open?.word === word && open.isPinned) close(true);
  else explain(word, true);
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.key === "Escape" && explained()) close(true);
  else if (["Enter", " "].includes(event.key) && wordAt(event.target)) clicked(event);
}

/** @param {PointerEvent} event */
function hovered({ target, pointerType }) {
  if (pointerType !== "mouse") return;
  clearTimeout(waiting);
  const [word, open] = [wordAt(target), explained()];
  if (open?.isPinned || (open && (word === open.word || isInBox(/** @type {Node} */ (target))))) return;
  if (word) waiting = window.setTimeout(() => explain(word, false), REST);
  else if (open) waiting = window.setTimeout(close, AWAY);
}
