// What was done and chosen on the cards, in this browser: kept over a reload.

const KEPT = "vae-cards";

/** @typedef {Record<string, { choice?: number, done?: boolean }>} Kept by card */

/** @returns {Kept} */
function kept() {
  try {
    return Object(JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
  } catch {
    return {}; // somebody else's
  }
}

/**
 * What is kept of a card.
 *
 * @param {string} name
 */
export const keptOf = (name) => kept()[name] ?? {};

/**
 * Keeps more of a card.
 *
 * @param {string} name
 * @param {{ choice?: number, done?: boolean }} more
 */
export function keepOf(name, more) {
  const all = kept();
  localStorage.setItem(KEPT, JSON.stringify({ ...all, [name]: { ...all[name], ...more } }));
}
