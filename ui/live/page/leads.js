// Pictures lead on: what is chosen of a training opens in Draw or in Latents, with the model of that training.

import { putOnPad } from "../draw/kept.js";
import { newest } from "../shared/ask.js";
import { feed } from "../shared/feed.js";
import { whenUsed } from "../shared/model.js";
import { movePoint } from "../space/point.js";
import { bring } from "../words/see.js";

/** @import { Description } from "../shared/types.js" */

/** @type {(model: string, tab: string) => void} */
let use = () => {}; // tells Python
const turn = newest();

/**
 * Has Python told which model Draw and Latents are to use, and which of them is to be opened.
 *
 * @param {(model: string, tab: string) => void} then
 */
export function onUse(then) {
  use = then;
}

/**
 * Uses a model on a tab: that of the followed training, if no other one is named.
 *
 * @param {string} tab
 * @param {string} [id]
 */
export const useModelIn = (tab, id = modelOfRun()) => use(id, tab);

/** The model of the followed training; empty where none belongs to it, and nothing leads on. */
export const modelOfRun = () => feed.about?.model ?? "";

/**
 * What a picture says that leads on; nothing where it does not.
 *
 * @param {string} invitation
 */
export const leading = (invitation) => (modelOfRun() ? invitation : "");

/**
 * Opens a picture in Draw.
 *
 * @param {Uint8Array} grey 784 bytes
 */
export function toDraw(grey) {
  if (!modelOfRun()) return;
  turn();
  putOnPad(grey);
  use(modelOfRun(), "draw");
  bring("draw-pad");
}

/**
 * Opens a point in Latents.
 *
 * @param {(about: Description) => number[]} pointOf the point, once it is known what the model is
 */
export const toPoint = (pointOf) =>
  toLatents((about) => {
    movePoint(pointOf(about));
    bring(about.dims.length > 1 ? "latents-point" : "latents-slider-0"); // a line has no map
  });

/**
 * Opens Latents at the slider of a dimension.
 *
 * @param {number} index
 */
export const toSlider = (index) => toLatents(() => bring(`latents-slider-${index}`));

/** @param {(about: Description) => void} then */
function toLatents(then) {
  const isNewest = turn();
  const id = modelOfRun();
  if (!id) return;
  use(id, "latents");
  whenUsed(id, (about) => isNewest() && then(about));
}
