// Noise on a drawing: a slider that puts random grey values in place of a share of its pixels.

import { make, SIDE } from "../shared/page.js";

/** @import { Surface } from "./ink.js" */
/** @import { Tab } from "./tools.js" */

/** Uniformly random grey bytes. */
export const random = () => crypto.getRandomValues(new Uint8Array(SIDE * SIDE));

/**
 * The slider; at 0 the image is as it was.
 *
 * @param {Surface} surface
 * @param {Pick<Tab, "drawn" | "grey">} tab
 */
export function noisy(surface, { drawn, grey }) {
  const output = make("output", {}, "0 %");
  const range = make("input", { type: "range", min: 0, max: 100, value: 0 });
  /** @type {ReturnType<typeof begin> | null} */
  let clean = null; // of every pixel what it becomes, and from which strength on
  const begin = async () => {
    const image = await grey();
    if (!image) return null;
    surface.remember();
    return { image, values: random(), order: Array.from(image, () => 100 * Math.random()) };
  };
  const add = async (/** @type {boolean} */ resting) => {
    output.textContent = `${range.value} %`;
    clean ??= begin();
    const mine = clean;
    const found = await mine;
    if (mine !== clean) return; // there is another drawing
    if (!found) {
      clear();
      return;
    }
    const { image, values, order } = found;
    const strength = Number(range.value);
    surface.place(image.map((value, i) => (order[i] < strength ? values[i] : value)));
    drawn(resting);
  };
  range.addEventListener("input", () => add(false));
  range.addEventListener("change", () => clean && add(true));

  function clear() {
    clean = null;
    range.value = "0";
    output.textContent = "0 %";
  }

  return { node: make("label", {}, "Add noise", range, output), clear };
}
