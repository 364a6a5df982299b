// The pictures: what the model sees, and what draws of q decode to.

import { paintHidden } from "../shared/given.js";
import { bytes, make, paint, SIDE } from "../shared/page.js";

/** @import { Decoded, Description, Given } from "../shared/types.js" */

/** @type {Record<string, string>} */
const SEEN = {
  dynamic: "0 or 1, drawn with the grey value as chance",
  threshold: "1 where the grey value is at least ½",
  grey: "28×28, grey",
};

/** The pictures, empty. */
export function looked() {
  const [seen, spread, drawn] = Array.from({ length: 3 }, () => make("canvas"));
  const [binarization, most] = Array.from({ length: 2 }, () => make("small"));
  const figure = (/** @type {HTMLElement} */ canvas, /** @type {string} */ title, /** @type {HTMLElement} */ note) =>
    make("figure", {}, canvas, make("figcaption", {}, title, note));
  const pair = make(
    "div",
    { className: "live-pair" },
    figure(seen, "The model sees", binarization),
    figure(spread, "Where it is unsure", most),
  );
  const eight = make("figcaption");
  const many = make("figure", { className: "live-many" }, drawn, eight);

  /**
   * The drawing as the model sees it.
   *
   * @param {Given} answer
   */
  function saw(answer) {
    paint(seen, bytes(answer.seen));
    if (answer.hidden) paintHidden(seen, bytes(answer.hidden));
  }

  /**
   * What draws of a q decode to.
   *
   * @param {Decoded} answer
   * @param {string} whose
   */
  function held(answer, whose) {
    paint(spread, bytes(answer.spread));
    paint(drawn, bytes(answer.drawn), 8);
    eight.textContent = `Eight draws of the ${whose}, decoded`;
    most.textContent = `s.d. of 64 draws, white = ${answer.most === null ? "not finite" : answer.most.toFixed(2)}`;
  }

  function clear() {
    const nothing = new Uint8Array(SIDE * SIDE);
    for (const canvas of [seen, spread]) paint(canvas, nothing);
    paint(drawn, new Uint8Array(8 * SIDE * SIDE), 8);
    eight.textContent = "Eight draws of q(z|x), decoded";
    most.textContent = "s.d. of 64 draws";
  }

  /** @param {Description} model */
  function about(model) {
    binarization.textContent = SEEN[model.binarization];
  }

  clear();
  return { pair, many, saw, held, clear, about };
}
