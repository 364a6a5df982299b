// What is known of log p(x): the decoder of the model in use, which scores images in this browser, and the exact value.

import { CERTAIN } from "../../exact/exact.js";
import { Rows } from "../../exact/rows.js";
import { failed, fileOf } from "../../shared/ask.js";
import { model } from "../../shared/model.js";
import { addressOf } from "../../shared/page.js";

/** @import { Known } from "../image.js" */

/**
 * log p(x) of the image in hand where it is known exactly, in nats; else null.
 *
 * @param {Known | null} known
 */
export function exactly(known) {
  if (known?.looked.exact) return known.looked.log_px;
  const { log_px = null, uncertainty = null } = known?.exact ?? {};
  return uncertainty !== null && uncertainty < CERTAIN ? log_px : null;
}

/** @type {{ key: string, rows: Promise<Rows | null> }} */
let held = { key: "", rows: Promise.resolve(null) };

/**
 * The decoder; null where this browser cannot have it. A slow one is of use, too: what it is asked for fills in.
 *
 * @param {string} version of its weights
 */
export function rowsOf(version) {
  const key = `${model.id} ${version}`;
  if (held.key !== key) held = { key, rows: fetched(model.id) };
  return held.rows;
}

/** @param {string} id */
async function fetched(id) {
  const answer = await fileOf(addressOf(`live/models/${encodeURIComponent(id)}/decoder`));
  if (!failed(answer)) return new Rows(await answer.file.arrayBuffer());
  held.key = ""; // the next one asks again
  return null;
}
