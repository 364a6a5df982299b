// Where the test images lie in latent space: the posterior means, as `means` of ui/models.py serves them.

import { onModel } from "./model.js";
import { addressOf } from "./page.js";
import { fromHalves, unpack } from "./wire.js";

/** @import { Means } from "./types.js" */

const RENEW = 9000; // ms between two looks, while the model trains

const NOTHING = { id: "", at: -Infinity, means: Promise.resolve(null) };

/** @type {{ id: string, at: number, means: Promise<Means | null> }} */
let held = NOTHING; // of one model
let changed = true;
onModel((_, isOther) => {
  changed = true;
  if (isOther) held = NOTHING;
});

/**
 * The means of a model, at most nine seconds older than its weights; null where they cannot be had.
 *
 * @param {string} id
 */
export function meansOf(id) {
  const now = performance.now();
  if (held.id === id && !(changed && now - held.at > RENEW)) return held.means;
  held = { id, at: now, means: fetched(id) };
  changed = false;
  return held.means;
}

/**
 * Nothing came: the next one who asks has it fetched again.
 *
 * @param {string} id
 */
function lost(id) {
  if (held.id === id) changed = true;
  return null;
}

/**
 * @param {string} id
 * @returns {Promise<Means | null>}
 */
async function fetched(id) {
  const answer = await fetch(addressOf(`live/models/${encodeURIComponent(id)}/means`)).catch(() => null);
  const buffer = answer?.ok ? await answer.arrayBuffer().catch(() => null) : null;
  if (!buffer) return lost(id);
  const { about, halves, rest } = unpack(buffer);
  return { ...about, mu: fromHalves(halves), labels: rest };
}
