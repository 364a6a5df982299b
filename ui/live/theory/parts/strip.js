// The image in hand beside a card's picture, and ways to another one: test digits, a sample of the model, Draw.

import { model, onModel, picture } from "../../shared/model.js";
import { bytes, make, openTab, paint, SIDE } from "../../shared/page.js";
import { normal } from "../../space/normal.js";

/** @import { Description } from "../../shared/types.js" */
/** @import { Frame } from "../frame.js" */

const SHOWN = 6; // test digits
const NO_DRAWING = "There is no drawing yet: choose a digit, or draw one.";

/**
 * The strip; it follows the image in hand.
 *
 * @param {Frame} frame
 * @param {{ isFlat?: boolean }} [options] isFlat: in one row, to stand below a picture
 */
export function strip(frame, { isFlat = false } = {}) {
  const caption = make("figcaption", { role: "status" }, "x");
  const canvas = make("canvas", { className: "live-in-hand" });
  const digits = make("div", { className: "live-digits" });
  const sample = make("button", { type: "button", className: "live-quiet" }, "a sample of the model");
  const draw = make("button", { type: "button", className: "live-quiet", onclick: () => openTab("draw") }, "draw one");
  sample.onclick = () => {
    const grey = sampled();
    if (grey) frame.image.take(grey);
  };
  /** @type {Description | null} */
  let of = null;
  frame.image.onChange((known) => {
    caption.textContent = known ? "x" : NO_DRAWING;
    paint(canvas, known ? bytes(known.seen) : new Uint8Array(SIDE * SIDE));
  });
  onModel(({ about, decoder }) => {
    if (!about || about === of) return;
    of = about;
    digits.replaceChildren(...choices(of, (grey) => frame.image.take(grey)));
    sample.hidden = !decoder;
  });
  return make(
    "figure",
    { className: `live-strip${isFlat ? " live-flat" : ""}` },
    caption,
    canvas,
    digits,
    sample,
    draw,
  );
}

/**
 * @param {Description} about
 * @param {(grey: Uint8Array) => void} take
 */
function choices({ examples }, take) {
  const step = Math.max(1, Math.floor(examples.length / SHOWN));
  return examples
    .filter((_, n) => n % step === 0)
    .slice(0, SHOWN)
    .map(({ label, image }) => {
      const canvas = make("canvas");
      paint(canvas, bytes(image));
      return make(
        "button",
        { type: "button", ariaLabel: `a test ${label}`, onclick: () => take(bytes(image)) },
        canvas,
      );
    });
}

/** An x of the model: z from the prior, and each pixel drawn by the probability that the decoder gives it. */
function sampled() {
  const { decoder, about } = model;
  if (!decoder || !about) return null;
  const { prior_mean: mean, prior_std: std } = about;
  const z = Float32Array.from(about.dims, () => mean + std * normal());
  const grey = picture(z);
  const isDrawn = about.likelihood === "bernoulli";
  return grey && (isDrawn ? grey.map((value) => (Math.random() < value / 255 ? 255 : 0)) : grey);
}
