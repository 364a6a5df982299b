// Leads to a part of the page: to where a term can be touched, or to what is chosen elsewhere.

import { openTab, shownTab, wantsStill } from "../shared/page.js";
import { TERMS } from "./glossary.js";

const HEARD = 300; // ms after which a press is taken not to have been heard: what is new on the page does not listen yet
const LONGEST = 8000; // ms until the place is there: a tab builds its parts when it is opened
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
 * Shows the tab of a term, and brings the focus to its place there.
 *
 * @param {string} term
 */
export function see(term) {
  const { tab, place, fold } = TERMS[term];
  openTab(tab);
  return bring(place, fold);
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
  return found(place, fold);
}

/**
 * Brings the focus to a place as soon as its tab is there, and unfolds what it is folded away in.
 *
 * @param {string} place its id
 * @param {string} [fold] the id of what it is folded away in, where it is not on the page before that is unfolded
 */
export async function bring(place, fold = "") {
  const node = await found(place, fold);
  if (node) reveal(node);
}

/**
 * A place as soon as it is in sight; null where that takes too long.
 *
 * @param {string} place its id
 * @param {string} [fold]
 */
async function found(place, fold = "") {
  const end = performance.now() + LONGEST;
  let node = inSight(place);
  for (let pressed = -Infinity; !node && performance.now() < end; node = inSight(place)) {
    /** @type {HTMLElement | null} */
    const handle = fold ? document.querySelector(`#${fold} > button`) : null;
    const isDue = performance.now() - pressed > HEARD;
    if (isDue && handle?.checkVisibility() && !handle.classList.contains("open")) {
      pressed = performance.now();
      handle.click();
    }
    unfold(document.getElementById(place));
    await new Promise(requestAnimationFrame);
  }
  return node;
}

/** @param {HTMLElement | null} node */
function unfold(node) {
  const details = node?.closest("details");
  if (details) details.open = true;
  const panel = node?.closest("[role=tabpanel][hidden]");
  /** @type {HTMLElement | null} */
  const tab = panel ? document.querySelector(`[role=tab][aria-controls="${panel.id}"]`) : null;
  tab?.click();
}

/** @param {string} id */
function inSight(id) {
  const node = document.getElementById(id);
  return node?.checkVisibility() ? node : null;
}

/** @param {HTMLElement} node */
function reveal(node) {
  /** @type {HTMLElement | null} */
  const field = node.tabIndex < 0 ? node.querySelector(FIELDS) : node;
  if (!field) node.tabIndex = -1;
  (field ?? node).focus({ preventScroll: true });
  node.scrollIntoView({ block: "center" });
  if (!wantsStill())
    node.animate([{ outline: "3px solid var(--color-accent)" }, { outline: "3px solid transparent" }], SHOWN);
}
