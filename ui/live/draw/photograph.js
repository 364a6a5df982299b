// A photograph that the server turns into ink: chosen, dropped or pasted.

import { answerTo, failed } from "../shared/ask.js";
import { addressOf, bytes, make } from "../shared/page.js";
import { LARGEST_PHOTO, PHOTO_TYPES } from "../shared/vocabulary.js";

/** @import { Answer } from "../shared/types.js" */

/**
 * A button that takes a photograph.
 *
 * @param {HTMLElement} place where one may be dropped, or pasted while it is in sight
 * @param {(ink: Uint8Array) => void} begin
 * @param {(text: string) => void} say
 */
export function photograph(place, begin, say) {
  const file = make("input", { type: "file", accept: PHOTO_TYPES.join(), hidden: true });
  const take = async (/** @type {File | undefined} */ photo) => {
    const wrong = refused(photo);
    if (!photo || wrong) {
      say(wrong);
      return;
    }
    say("Reading the photograph …");
    /** @type {Answer<{ ink: string }>} */
    const answer = await answerTo(addressOf("live/photo"), photo);
    if (failed(answer)) say(answer.error);
    else begin(bytes(answer.ink));
  };
  file.addEventListener("change", () => {
    if (file.files?.length) take(file.files[0]);
    file.value = ""; // the same file can be chosen again
  });
  place.addEventListener("dragover", (event) => event.preventDefault());
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length && place.offsetParent !== null) take(pasted[0]);
  });
  const title = "or drop or paste one on the pad";
  const button = make("button", { type: "button", textContent: "Photo…", title, onclick: () => file.click() });
  return make("span", {}, button, file);
}

/**
 * Why a photograph is not taken; empty where it is. What the server cannot read, it says itself: a browser may not know
 * the type of a HEIC file, which is then empty.
 *
 * @param {File | undefined} photo
 */
function refused(photo) {
  if (!photo || (photo.type && !photo.type.startsWith("image/"))) return "That is not a picture: choose a photograph.";
  if (photo.size <= LARGEST_PHOTO) return "";
  return `The photograph is larger than ${LARGEST_PHOTO / 2 ** 20} MB: choose a smaller one.`;
}
