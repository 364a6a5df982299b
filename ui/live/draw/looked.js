// The pictures: what the model sees, its reconstruction, and what draws of q decode to.

import { bytes, make, paint, SIDE } from "../shared/page.js";

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
  const pair = make(
    "div",
    { className: "live-pair" },
    figure(seen, "The model sees", binarization),
    figure(reconstruction, "Its reconstruction", from),
    figure(spread, "Spread", most),
  );
  const eight = make("figcaption");
  const many = make("figure", { className: "live-many" }, drawn, eight);

  /** What the model makes of a drawing. */
  function show(answer) {
    paint(seen, bytes(answer.seen));
    held(answer, "encoder’s q(z|x)");
  }

  /** What is decoded of a q: of its mean, and of draws. */
  function held(answer, whose) {
    paint(reconstruction, bytes(answer.reconstruction));
    paint(spread, bytes(answer.spread));
    paint(drawn, bytes(answer.drawn), 8);
    name(whose);
    most.textContent = `std of 64 draws, white = ${answer.most === null ? "not finite" : answer.most.toFixed(2)}`;
  }

  function name(whose) {
    from.textContent = `decoded from the mean of the ${whose}`;
    eight.textContent = `Eight draws of the ${whose}, decoded`;
  }

  function clear() {
    const nothing = new Uint8Array(SIDE * SIDE);
    for (const canvas of [seen, reconstruction, spread]) paint(canvas, nothing);
    paint(drawn, new Uint8Array(8 * SIDE * SIDE), 8);
    name("encoder’s q(z|x)");
    most.textContent = "std of 64 draws";
  }

  clear();
  return {
    pair,
    many,
    show,
    held,
    clear,
    about: (model) => {
      binarization.textContent = SEEN[model.binarization];
    },
  };
}
