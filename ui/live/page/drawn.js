// The drawing on the pad and the q in the hand as a link: in the fragment of the address, for as long as they stay.

import { base64, SIDE } from "../shared/page.js";
import { PAD_SIDE } from "../shared/vocabulary.js";
import { addressWith, fragment, packed, putAddress, unpacked } from "./link.js";

/** @import { Drawing, Q } from "../shared/types.js" */
/** @typedef {{ drawing: Drawing | null, q: Q | null, wrong: string }} Linked wrong: what cannot be used, in sentences */

const DIGITS = 5; // of a coordinate
const NAMES = ["drawing", "q"];

/** The fragment without a drawing. */
function others() {
  const now = fragment();
  for (const name of NAMES) now.delete(name);
  return now;
}

/** @param {URLSearchParams} parameters */
const hashOf = (parameters) => (parameters.size ? `#${parameters.toString().replaceAll("%2C", ",")}` : "");

/**
 * Puts a drawing into the address, and q where it is not the encoder's.
 *
 * @param {Uint8Array<ArrayBuffer>} drawing as it is posted
 * @param {Q | null} q
 */
export async function putDrawn(drawing, q) {
  const now = others();
  now.set("drawing", await packed(drawing));
  if (q) now.set("q", [...q.mu, ...q.std].map((value) => Number(value.toPrecision(DIGITS))).join(","));
  putAddress(addressWith(new URLSearchParams(location.search), hashOf(now)));
}

/** Takes them out of the address: they are other ones now. */
export function forgetDrawn() {
  if (NAMES.some((name) => fragment().has(name)))
    putAddress(addressWith(new URLSearchParams(location.search), hashOf(others())));
}

/**
 * What the address has of a drawing.
 *
 * @returns {Promise<Linked>}
 */
export async function linkedDrawn() {
  const now = fragment();
  const text = now.get("drawing");
  if (text === null) return { drawing: null, q: null, wrong: "" };
  const found = await unpacked(text, PAD_SIDE ** 2);
  if (found?.length !== SIDE ** 2 && found?.length !== PAD_SIDE ** 2)
    return { drawing: null, q: null, wrong: "The link's drawing cannot be read." };
  const content = base64(found);
  const drawing = found.length === SIDE ** 2 ? { image: content } : { ink: content };
  const given = now.get("q");
  const values = given?.split(",").map(Number) ?? [];
  const [mu, std] = [values.slice(0, values.length / 2), values.slice(values.length / 2)];
  const isQ = mu.length === std.length && values.every(Number.isFinite) && std.every((s) => s > 0);
  const wrong = given !== null && !isQ ? "The link's q cannot be read." : "";
  return { drawing, q: given !== null && isQ ? { mu, std } : null, wrong };
}
