// The page's address as a link: its settings stand in the query, a drawing in the fragment, which no server sees.

import { base64, bytes } from "../shared/page.js";

const SAID = 2500; // ms for which a button says what became of its press
const COPIED = "Copied";

/**
 * The address with other parameters; commas stay legible.
 *
 * @param {URLSearchParams} query
 * @param {string} [hash]
 */
export function addressWith(query, hash = location.hash) {
  const text = query.toString().replaceAll("%2C", ",");
  return `${location.pathname}${text && `?${text}`}${hash}`;
}

/**
 * Puts an address into the address bar, in place of the one there.
 *
 * @param {string} address
 */
export const putAddress = (address) => history.replaceState(history.state, "", address);

/** The parameters of the fragment. */
export const fragment = () => new URLSearchParams(location.hash.slice(1));

/**
 * The link that opens Train with a run, read only where it is another browser's.
 *
 * @param {string} run
 */
export const linkToRun = (run) => location.origin + addressWith(new URLSearchParams({ tab: "train", run }), "");

/**
 * Copies a link, and says so on the button for a moment. Tells whether the browser has copied it.
 *
 * @param {HTMLButtonElement} button
 * @param {string} [link]
 * @param {string} [otherwise] where the link is, if the browser does not copy it
 */
export async function copyLink(button, link = location.href, otherwise = "The address bar has the link") {
  const text = button.textContent ?? "";
  const isCopied = await copied(link);
  button.textContent = isCopied ? COPIED : otherwise;
  button.disabled = true;
  setTimeout(() => {
    button.textContent = text;
    button.disabled = false;
  }, SAID);
  return isCopied;
}

/**
 * Copies a link; false if the browser does not.
 *
 * @param {string} link
 */
export async function copied(link) {
  if (!navigator.clipboard) return false; // as where the page does not come by https
  return navigator.clipboard.writeText(link).then(
    () => true,
    () => false,
  );
}

/**
 * Bytes, deflated, as text that an address can hold.
 *
 * @param {Uint8Array<ArrayBuffer>} content
 */
export async function packed(content) {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const text = base64(new Uint8Array(await new Response(stream).arrayBuffer()));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * What `packed` made text of; null where it is something else.
 *
 * @param {string} text
 * @param {number} most bytes that it may have
 */
export async function unpacked(text, most) {
  try {
    const deflated = bytes(text.replaceAll("-", "+").replaceAll("_", "/"));
    const reader = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const found = new Uint8Array(most);
    let count = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (count + part.value.length > most) return null;
      found.set(part.value, count);
      count += part.value.length;
    }
    return found.subarray(0, count);
  } catch {
    return null; // it is not base64, or nothing that was deflated
  }
}
