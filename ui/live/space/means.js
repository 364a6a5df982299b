// Where the test images lie in latent space: the posterior means, as `means` of ui/models.py serves them.

import { failed, fileOf } from "../shared/ask.js";
import { onModel } from "../shared/model.js";
import { addressOf } from "../shared/page.js";
import { fromHalves, unpack } from "../shared/wire.js";

/** @import { Answer, Means } from "../shared/types.js" */

const RENEW = 9000; // ms between two looks, while the model trains

const NOTHING = { id: "", at: -Infinity, means: Promise.resolve({ error: "There is no model." }) };

/** @type {{ id: string, at: number, means: Promise<Answer<Means>> }} */
let held = NOTHING; // of one model
let changed = true;
onModel((_, isOther) => {
  changed = true;
  if (isOther) held = NOTHING;
});

/**
 * The means of a model, at most nine seconds older than its weights.
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
 * @param {string} id
 * @returns {Promise<Answer<Means>>}
 */
async function fetched(id) {
  const answer = await fileOf(addressOf(`live/models/${encodeURIComponent(id)}/means`));
  if (failed(answer)) {
    if (held.id === id) changed = true; // the next one who asks has it fetched again
    return answer;
  }
  const { about, halves, rest } = unpack(await answer.file.arrayBuffer());
  return { ...about, mu: fromHalves(halves), labels: rest };
}
