// The pictures: what the model sees, its reconstruction, and what draws of q decode to.

import { bytes, make, paint, SIDE } from "./page.js";

const SEEN = {
  dynamic: "0 or 1, drawn with the grey value as chance",
  threshold: "1 where the grey value is at least ½",
  grey: "28×28, grey",
};

export function looked() {
  const [seen, reconstruction, spread, drawn] = ["canvas", "canvas", "canvas", "canvas"].map((tag) => make(tag));
  const binarization = make("small");
  const from = make("small");
  const most = make("small");
  const figure = (canvas, title, note) => make("figure", {}, canvas, make("figcaption", {}, title, note));
  const pair = make("div", { className: "live-pair" },
    figure(seen, "The model sees", binarization),
    figure(reconstruction, "Its reconstruction", from),
    figure(spread, "Spread", most));
  const many = make("figure", { className: "live-many" }, drawn, make("figcaption", {}, "Eight draws of the encoder’s q(z|x), decoded"));

  function show(answer) {
    paint(seen, bytes(answer.seen));
    paint(spread, bytes(answer.spread));
    paint(drawn, bytes(answer.drawn), 8);
    most.textContent = `std of 64 draws, white = ${answer.most === null ? "not finite" : answer.most.toFixed(2)}`;
    decoded(answer.reconstruction);
  }

  /** Another q's mean, decoded. */
  function decoded(image, whose = "the mean of q(z|x)") {
    paint(reconstruction, bytes(image));
    from.textContent = `decoded from ${whose}`;
  }

  function clear() {
    const nothing = new Uint8Array(SIDE * SIDE);
    for (const canvas of [seen, reconstruction, spread]) paint(canvas, nothing);
    paint(drawn, new Uint8Array(8 * SIDE * SIDE), 8);
    from.textContent = "decoded from the mean of q(z|x)";
    most.textContent = "std of 64 draws";
  }

  clear();
  return { pair, many, show, decoded, clear, about: (model) => { binarization.textContent = SEEN[model.binarization]; } };
}
