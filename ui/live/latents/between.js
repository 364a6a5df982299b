// From one picture to another through latent space: a filmstrip, a player, and a GIF.

import { keptDrawing } from "../draw/kept.js";
import { failed, fileOf } from "../shared/ask.js";
import { model, onModelAtLeisure, pictures } from "../shared/model.js";
import { addressOf, make, paint, save, wantsStill } from "../shared/page.js";
import { normal } from "../space/normal.js";
import { movePoint, onPoint, point } from "../space/point.js";
import { circle, line } from "./ways.js";

/** @import { Description, Place, Z } from "../shared/types.js" */
/** @typedef {ReturnType<typeof layout>} View */

const FRAMES = 16;
const PLAY = 80; // ms a frame
const FIRST = [3, 8]; // the examples that it goes between at first

/**
 * The interpolation.
 *
 * @param {Place} place
 */
export function between(place) {
  const content = make("div");
  const view = layout(content);
  /** @type {(ArrayLike<number> | null)[]} */
  let ends = [null, null];
  /** @type {Z[]} */
  let points = [];
  const strip = new Uint8Array(784 * FRAMES);

  const refresh = () => {
    const { about } = model;
    const [a, b] = ends;
    if (!about || a?.length !== about.dims.length || b?.length !== about.dims.length) return;
    const way = view.way.value === "line" ? line : circle;
    points = way(a, b, FRAMES, about.prior_mean);
    pictures(
      "between",
      points,
      (n, grey) => strip.set(grey, 784 * n),
      () => {
        paint(view.strip, strip, FRAMES, 1);
        view.gif.disabled = false;
      },
    );
    view.range.disabled = false;
    view.play.disabled = false;
  };
  const take = async (/** @type {number} */ k) => {
    const z = await chosen(view.ends[k].value, place);
    if (!z) return;
    ends[k] = z;
    refresh();
  };
  for (const k of [0, 1]) {
    view.ends[k].onchange = () => take(k);
    view.again[k].onclick = () => take(k);
  }
  view.way.onchange = refresh;
  view.gif.onclick = () => saveGif(strip, place);
  const stop = player(view, () => points);

  onModelAtLeisure(({ about }, isOther) => {
    if (!about) return;
    if (!isOther) {
      refresh();
      return;
    }
    stop();
    ends = [null, null];
    offer(view, about);
    Promise.all(view.ends.map(({ value }) => chosen(value, place))).then((both) => {
      ends = both;
      refresh();
    });
  });
  return content;
}

/**
 * The range that goes along the way, and the button that plays it there and back.
 *
 * @param {View} view
 * @param {() => Z[]} points
 * @returns {() => void} stops it
 */
function player(view, points) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let playing;
  const go = (/** @type {number} */ n) => {
    view.range.value = String(n);
    const z = points()[n];
    if (z) movePoint(z, "between");
  };
  const stop = () => {
    clearInterval(playing);
    playing = undefined;
    view.play.textContent = "Play";
  };
  const play = () => {
    let [n, by] = [0, 1];
    playing = setInterval(() => {
      go(n);
      if (n + by < 0 || n + by >= FRAMES) by = -by;
      n += by;
    }, PLAY);
    view.play.textContent = "Stop";
  };
  view.range.oninput = () => {
    stop();
    go(Number(view.range.value));
  };
  view.play.onclick = () => {
    if (wantsStill()) go(Number(view.range.value) === 0 ? FRAMES - 1 : 0);
    else if (playing) stop();
    else play();
  };
  onPoint(({ by }) => {
    if (by !== "between") stop(); // a hand is stronger than the player
  });
  return stop;
}

/**
 * The point that a choice stands for: the mean of q(z|x) of an image, a draw, or where the point is now.
 *
 * @param {string} choice
 * @param {Place} place
 * @returns {Promise<ArrayLike<number> | null>}
 */
async function chosen(choice, { ofImage }) {
  const { about } = model;
  if (!about) return null;
  if (choice === "point") return point.z;
  if (choice === "prior") return Float32Array.from(about.dims, () => about.prior_mean + about.prior_std * normal());
  if (choice === "drawing") return ofImage(keptDrawing(), "There is no drawing yet: draw one in the Draw tab.");
  return ofImage({ image: about.examples[Number(choice)].image });
}

/** @param {HTMLElement} node */
function layout(node) {
  const button = (/** @type {string} */ text, title = "") => make("button", { type: "button", title }, text);
  const place = { type: "range", min: 0, max: FRAMES - 1, step: 1, value: 0, disabled: true };
  const view = {
    ends: ["From", "To"].map((ariaLabel) => make("select", { ariaLabel })),
    again: [0, 1].map(() => button("↻", "Take it again, as it is now")),
    way: make(
      "select",
      { ariaLabel: "Way" },
      make("option", { value: "line" }, "along a line"),
      make("option", { value: "circle" }, "along the great circle"),
    ),
    strip: make("canvas", { className: "live-strip" }),
    range: make("input", { ...place, ariaLabel: "Place on the way" }),
    play: button("Play"),
    gif: button("Save as GIF"),
  };
  view.play.disabled = true;
  view.gif.disabled = true;
  view.again.forEach((each, k) => {
    each.setAttribute("aria-label", `Take the ${["first", "second"][k]} end again`);
  });
  node.append(
    make(
      "div",
      { className: "live-controls" },
      make("span", {}, make("label", {}, "From ", view.ends[0]), view.again[0]),
      make("span", {}, make("label", {}, "to ", view.ends[1]), view.again[1]),
      view.way,
    ),
    view.strip,
    view.range,
    make("div", { className: "live-buttons" }, view.play, view.gif),
  );
  return view;
}

/**
 * Fills the choices for a model.
 *
 * @param {View} view
 * @param {Description} about
 */
function offer(view, about) {
  view.ends.forEach((select, k) => {
    select.replaceChildren(
      ...about.examples.map(({ label }, n) => make("option", { value: n }, `test image of label ${label}`)),
      make("option", { value: "drawing" }, "my drawing"),
      make("option", { value: "prior" }, "a draw from the prior"),
      make("option", { value: "point" }, "the point"),
    );
    const { length } = about.examples;
    select.value = String(FIRST[k] < length ? FIRST[k] : Math.min(k, length - 1));
  });
}

/**
 * Has the server make a GIF of the strip, there and back, and gives it to the browser's downloads.
 *
 * @param {Uint8Array} strip
 * @param {Place} place
 */
async function saveGif(strip, { say }) {
  const count = strip.length / 784;
  const order = Array.from({ length: 2 * count - 2 }, (_, n) => (n < count ? n : 2 * count - 2 - n));
  const film = new Uint8Array(784 * order.length);
  order.forEach((n, k) => {
    film.set(strip.subarray(784 * n, 784 * (n + 1)), 784 * k);
  });
  const answer = await fileOf(addressOf("live/gif"), { method: "POST", body: film });
  if (failed(answer)) {
    say(`The GIF could not be made. ${answer.error}`);
    return;
  }
  save(answer.file, "interpolation.gif");
}
