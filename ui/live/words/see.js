// Leads to where a term can be touched.

import { openTab, shownTab } from "../shared/page.js";
import { TERMS } from "./glossary.js";

const LONGEST = 3000; // ms until the place is there: a tab builds its parts when it is opened
const SHOWN = 1500; // ms for which the place is marked
const FIELDS = "input:enabled, select:enabled, button:enabled";

/**
 * Whether there is something to see of a term that is not around its word already.
 *
 * @param {string} term
 * @param {Element} word
 */
export const canSee = (term, word) => TERMS[term].place !== "" && !word.closest(`#${TERMS[term].place}`);

/**
 * What the button says that leads to a term.
 *
 * @param {string} term
 */
export function invitation(term) {
  const { tab } = TERMS[term];
  const name = document.querySelector(`[role="tab"][data-tab-id="${tab}"]`)?.textContent?.trim();
  return tab === shownTab() ? "Show it" : `See it in ${name}`;
}

/**
 * Shows the tab of a term, unfolds what its place is folded away in, and brings the focus there.
 *
 * @param {string} term
 */
export async function see(term) {
  const node = await shown(term);
  if (node) reveal(node);
}

/**
 * Shows the tab of a term, and unfolds what its place is folded away in.
 *
 * @param {string} term
 * @returns {Promise<HTMLElement | null>} the place; null where it does not come into sight
 */
export async function shown(term) {
  const { tab, place, fold } = TERMS[term];
  openTab(tab);
  const end = performance.now() + LONGEST;
  let node = inSight(place);
  for (let unfolded = false; !node && performance.now() < end; node = inSight(place)) {
    /** @type {HTMLElement | null} */
    const handle = fold ? document.querySelector(`#${fold} > button`) : null;
    if (handle?.checkVisibility() && !unfolded) {
      unfolded = true;
      handle.click();
    }
    await new Promise(requestAnimationFrame);
  }
  return node;
}

/** @param {string} id */
function inSight(id) {
  const node = document.getElementById(id);
  return node?.checkVisibility() ? node : null;
}

/** @param {HTMLElement} node */
function reveal(node) {
  /** @type {HTMLElement | null} */
  const field = node.querySelector(FIELDS);
  if (!field) node.tabIndex = -1;
  (field ?? node).focus({ preventScroll: true });
  node.scrollIntoView({ block: "center" });
  node.animate([{ outline: "3px solid var(--color-accent)" }, { outline: "3px solid transparent" }], SHOWN);
}
