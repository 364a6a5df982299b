// From one picture to another through latent space: a filmstrip, a player, and a GIF.

import { model, onModelAtLeisure, pictures } from "../shared/model.js";
import { normal } from "../shared/normal.js";
import { keptDrawing } from "../draw/pad.js";
import { addressOf, make, paint } from "../shared/page.js";
import { movePoint, onPoint, point } from "../shared/point.js";

const FRAMES = 16;
const PLAY = 80; // ms a frame

/** Points from a to b in equal steps of the line between them. */
export const line = (a, b, count) =>
  Array.from({ length: count }, (_, n) =>
    Float32Array.from(a, (value, j) => value + (n / (count - 1)) * (b[j] - value)),
  );

/** Points from a to b along the great circle about the prior's mean, the distance from it going evenly from one to the other. */
export function circle(a, b, count, mean = 0) {
  const [from, to] = [a, b].map((z) => Array.from(z, (value) => value - mean));
  const [r, s] = [from, to].map((z) => Math.hypot(...z));
  const cosine = from.reduce((sum, value, j) => sum + value * to[j], 0) / (r * s);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (!(angle > 1e-6 && angle < Math.PI - 1e-6)) return line(a, b, count); // along one ray, or through the middle
  return Array.from({ length: count }, (_, n) => {
    const t = n / (count - 1);
    const radius = r + t * (s - r);
    const [u, v] = [Math.sin((1 - t) * angle) / Math.sin(angle) / r, Math.sin(t * angle) / Math.sin(angle) / s];
    return Float32Array.from(from, (value, j) => mean + radius * (u * value + v * to[j]));
  });
}

/** Puts the interpolation into a node; `places`: ofImage and say of the tab. */
export function between(node, places) {
  const view = layout(node);
  let ends = [null, null];
  let points = [];
  let playing = 0;
  const strip = new Uint8Array(784 * FRAMES);

  const refresh = () => {
    if (!ends.every((end) => end?.length === model.about?.dims.length)) return;
    const way = view.way.value === "line" ? line : circle;
    points = way(ends[0], ends[1], FRAMES, model.about.prior_mean);
    pictures(
      "between",
      points,
      (n, grey) => strip.set(grey, 784 * n),
      () => {
        paint(view.strip, strip, FRAMES, 1);
        view.gif.disabled = false;
      },
    );
    view.range.disabled = view.play.disabled = false;
  };
  const take = async (k) => {
    const z = await chosen(view.ends[k].value, places);
    if (!z) return;
    ends[k] = z;
    refresh();
  };
  view.ends.forEach((select, k) => {
    select.onchange = () => take(k);
  });
  view.again.forEach((button, k) => {
    button.onclick = () => take(k);
  });
  view.way.onchange = refresh;
  const go = (n) => {
    view.range.value = n;
    if (points[n]) movePoint(points[n], "between");
  };
  view.range.oninput = () => {
    stop();
    go(Number(view.range.value));
  };
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    view.play.textContent = "Play";
  };
  view.play.onclick = () => {
    if (playing) return stop();
    let [n, by] = [0, 1];
    playing = setInterval(() => {
      go(n);
      if (n + by < 0 || n + by >= FRAMES) by = -by;
      n += by;
    }, PLAY);
    view.play.textContent = "Stop";
  };
  onPoint(({ by }) => by !== "between" && stop()); // a hand is stronger than the player
  view.gif.onclick = () => save(strip, places);

  onModelAtLeisure(({ about }, anew) => {
    if (!about) return;
    if (anew) {
      stop();
      ends = [null, null];
      offer(view, about);
      Promise.all([chosen(view.ends[0].value, places), chosen(view.ends[1].value, places)]).then((both) => {
        ends = both;
        refresh();
      });
    } else refresh();
  });
}

/** The point that a choice stands for: the mean of q(z|x) of an image, a draw, or where the point is now. */
async function chosen(choice, { ofImage }) {
  const { about } = model;
  if (choice === "point") return point.z;
  if (choice === "prior") return Float32Array.from(about.dims, () => about.prior_mean + about.prior_std * normal());
  if (choice === "drawing") return ofImage(keptDrawing(), "There is no drawing yet: draw one in the Draw tab.");
  return ofImage({ image: about.examples[Number(choice)].image });
}

function layout(node) {
  const button = (text, title = "") => make("button", { type: "button", title }, text);
  const view = {
    ends: ["From", "To"].map((label) => make("select", { ariaLabel: label })),
    again: [0, 1].map(() => button("↻", "Take it again, as it is now")),
    way: make(
      "select",
      { ariaLabel: "Way" },
      make("option", { value: "line" }, "along a line"),
      make("option", { value: "circle" }, "along the great circle"),
    ),
    strip: make("canvas", { className: "live-strip" }),
    range: make("input", {
      type: "range",
      min: 0,
      max: FRAMES - 1,
      step: 1,
      value: 0,
      disabled: true,
      ariaLabel: "Place on the way",
    }),
    play: button("Play"),
    gif: button("Save as GIF"),
  };
  view.play.disabled = view.gif.disabled = true;
  view.again.forEach((each, k) => each.setAttribute("aria-label", `Take the ${["first", "second"][k]} end again`));
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

function offer(view, about) {
  view.ends.forEach((select, k) => {
    select.replaceChildren(
      ...about.examples.map(({ label }, n) => make("option", { value: n }, `test image of label ${label}`)),
      make("option", { value: "drawing" }, "my drawing"),
      make("option", { value: "prior" }, "a draw from the prior"),
      make("option", { value: "point" }, "the point"),
    );
    select.value = String([3, 8][k] < about.examples.length ? [3, 8][k] : k);
  });
}

/** Has the server make a GIF of the strip, there and back, and gives it to the browser's downloads. */
async function save(strip, { say }) {
  const count = strip.length / 784;
  const order = Array.from({ length: 2 * count - 2 }, (_, n) => (n < count ? n : 2 * count - 2 - n));
  const film = new Uint8Array(784 * order.length);
  order.forEach((n, k) => film.set(strip.subarray(784 * n, 784 * (n + 1)), 784 * k));
  const answer = await fetch(addressOf("live/gif"), { method: "POST", body: film }).catch(() => null);
  if (!answer?.ok) return void say("The GIF could not be made: the server does not answer.");
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: "interpolation.gif" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
