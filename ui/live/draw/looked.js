// The pictures: what the model sees, its reconstruction, and what draws of q decode to.

import { bytes, make, paint, SIDE } from "../shared/page.js";

/** @import { Decoded, Description, Looked } from "../shared/types.js" */

/** @type {Record<string, string>} */
const SEEN = {
  dynamic: "0 or 1, drawn with the grey value as chance",
  threshold: "1 where the grey value is at least ½",
  grey: "28×28, grey",
};

/**
 * The pictures, empty.
 *
 * @param {(grey: Uint8Array) => void} decoded takes what the mean of q decodes to
 */
export function looked(decoded) {
  const [seen, spread, drawn] = Array.from({ length: 3 }, () => make("canvas"));
  const [binarization, from, most] = Array.from({ length: 3 }, () => make("small"));
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
   * What the model makes of a drawing.
   *
   * @param {Looked} answer
   */
  function show(answer) {
    paint(seen, bytes(answer.seen));
    held(answer, "encoder’s q(z|x)");
  }

  /**
   * What is decoded of a q: of its mean, and of draws.
   *
   * @param {Decoded} answer
   * @param {string} whose
   */
  function held(answer, whose) {
    decoded(bytes(answer.reconstruction));
    paint(spread, bytes(answer.spread));
    paint(drawn, bytes(answer.drawn), 8);
    name(whose);
    most.textContent = `s.d. of 64 draws, white = ${answer.most === null ? "not finite" : answer.most.toFixed(2)}`;
  }

  /** @param {string} whose */
  function name(whose) {
    from.textContent = `decoded from the mean of the ${whose}`;
    eight.textContent = `Eight draws of the ${whose}, decoded`;
  }

  function clear() {
    const nothing = new Uint8Array(SIDE * SIDE);
    for (const canvas of [seen, spread]) paint(canvas, nothing);
    decoded(nothing);
    paint(drawn, new Uint8Array(8 * SIDE * SIDE), 8);
    name("encoder’s q(z|x)");
    most.textContent = "s.d. of 64 draws";
  }

  /** @param {Description} model */
  function about(model) {
    binarization.textContent = SEEN[model.binarization];
  }

  clear();
  return { pair, many, whose: from, show, held, clear, about };
}
