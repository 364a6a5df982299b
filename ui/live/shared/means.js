// Where the test images lie in latent space: the posterior means, as `means` of ui/models.py serves them.

import { fromHalves } from "./decoder.js";
import { onModel } from "./model.js";
import { addressOf } from "./page.js";

const RENEW = 9000; // ms between two looks, while the model trains

let held = { id: "", at: -Infinity, means: null }; // a promise of what is known of one model
let changed = true;
onModel((_, anew) => {
  changed = true;
  if (anew) held = { id: "", at: -Infinity, means: null };
});

/** {count, dims, data, axes, mu, labels} of a model, at most nine seconds older than its weights; null where it cannot be had. */
export function meansOf(id) {
  const now = performance.now();
  if (held.id === id && !(changed && now - held.at > RENEW)) return held.means;
  held = { id, at: now, means: fetched(id) };
  changed = false;
  return held.means;
}

/** Nothing came: the next one who asks has it fetched again. */
function lost(id) {
  if (held.id === id) changed = true;
  return null;
}

async function fetched(id) {
  const answer = await fetch(addressOf(`live/models/${encodeURIComponent(id)}/means`)).catch(() => null);
  const buffer = answer?.ok ? await answer.arrayBuffer().catch(() => null) : null;
  if (!buffer) return lost(id);
  const length = new DataView(buffer).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const size = about.count * about.dims;
  return {
    ...about,
    mu: fromHalves(new Uint16Array(buffer, 4 + length, size)),
    labels: new Uint8Array(buffer, 4 + length + 2 * size),
  };
}
