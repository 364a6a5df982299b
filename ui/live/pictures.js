// What the model makes while it learns, cut from the frames of its training: reconstructions of held-out images, samples
// from the prior, and the latent map. The range below goes back to any frame of the training, and plays them.

import { feed, show, update } from "./feed.js";
import { rowAt, showHistory } from "./history.js";
import { make } from "./page.js";

const TILE = 28;
const SIDE = 20; // tiles in a row of a frame; see vae_core/frames.py
const [MAP, SAMPLES, ORIGINALS, MADE] = [0, SIDE, SIDE + 2, SIDE + 3]; // the first row of each
const SHOWN = 10; // images of the reconstructions
const PLAY = 120; // ms a frame
const AHEAD = 4; // frames that are fetched before they are wanted

export function mount({ element }) {
  const node = element.querySelector(".live");
  const view = layout(node);
  let wanted = ""; // the address of the frame that is to be shown
  let playing = null;

  const address = () => {
    if (!feed.newest) return "";
    const base = new URL(`runs/${feed.run}/`, import.meta.url).href;
    return feed.moment === null ? `${base}newest.jpg?${feed.newest}` : `${base}frames/${feed.moment}.jpg`;
  };

  const look = async () => {
    const now = address();
    if (now === wanted) return;
    wanted = now;
    node.classList.toggle("live-waiting", !now);
    if (!now) return;
    const image = new Image();
    image.src = now;
    await image.decode().catch(() => undefined);
    if (now !== wanted || !image.naturalWidth) return;
    paint(view, image);
    node.dataset.version = feed.moment === null ? feed.newest : String(feed.moment);
    ahead(feed.frames.indexOf(feed.moment), now);
  };

  const ahead = (i, now) => {
    if (i < 0) return;
    for (const step of feed.frames.slice(i + 1, i + 1 + AHEAD)) new Image().src = now.replace(/[^/]*$/, `${step}.jpg`);
  };

  /** Goes to a frame by its place in the film; one past the last is the newest. */
  const go = (i) => {
    feed.moment = i >= feed.frames.length ? null : feed.frames[Math.max(0, i)];
    update();
  };
  const place = () => (feed.moment === null ? feed.frames.length : feed.frames.indexOf(feed.moment));
  const stop = () => { clearInterval(playing); playing = null; label(); };

  view.range.oninput = () => {
    const i = Number(view.range.value);
    stop(); // which sets the range anew
    go(i);
  };
  view.live.onclick = () => { stop(); go(feed.frames.length); };
  view.play.onclick = () => {
    if (playing) return stop();
    if (feed.moment === null) go(0);
    playing = setInterval(() => { go(place() + 1); if (feed.moment === null) stop(); }, PLAY);
    label();
  };

  function label() {
    const dims = mapDims();
    view.range.max = feed.frames.length;
    view.range.value = place();
    view.range.disabled = view.play.disabled = feed.frames.length < 2;
    view.play.textContent = playing ? "Pause" : "Replay";
    view.live.disabled = feed.moment === null;
    view.when.textContent = feed.moment === null ? "newest" : `step ${feed.moment.toLocaleString("en")}`;
    view.range.setAttribute("aria-valuetext", view.when.textContent);
    view.mapTitle.textContent = dims.length === 1
      ? "Latent map: the prior's quantiles of z0, in reading order"
      : `Latent map: z${dims[0]} to the right, z${dims[1]} upwards, through the prior's quantiles${feed.about?.latent_dim > 2 ? "; the two of largest KL" : ""}`;
  }

  const draw = () => {
    if (feed.moment !== null && !feed.frames.includes(feed.moment)) feed.moment = null; // another run
    label();
    look();
  };
  show(node, draw);
  showHistory(node, draw);
}

/** The two dimensions of largest KL at the moment that is shown, as the map has them. */
function mapDims() {
  const kl = (feed.moment !== null && rowAt(feed.moment)) || feed.kl_per_dim;
  const order = kl.map((_, j) => j).sort((a, b) => kl[b] - kl[a] || a - b);
  return order.slice(0, 2).sort((a, b) => a - b);
}

function layout(node) {
  const view = {
    pairs: make("canvas", { width: SHOWN * TILE, height: 2 * TILE, title: "Above: held-out images. Below: their reconstructions." }),
    samples: make("canvas", { width: SHOWN * TILE, height: 4 * TILE, title: "Decoded draws from the prior, always of the same noise." }),
    map: make("canvas", { width: SIDE * TILE, height: SIDE * TILE }),
    mapTitle: make("figcaption"),
    range: make("input", { type: "range", min: 0, max: 0, step: 1, value: 0 }),
    play: make("button", { type: "button" }, "Replay"),
    live: make("button", { type: "button" }, "Newest"),
    when: make("output"),
  };
  view.range.setAttribute("aria-label", "Moment of the training");
  node.append(
    make("div", { className: "live-scrubber" }, view.play, view.range, view.live, view.when),
    make("div", { className: "live-column" },
      make("figure", {}, make("figcaption", {}, "Held-out images, and their reconstructions below"), view.pairs),
      make("figure", {}, make("figcaption", {}, "Samples from the prior"), view.samples)),
    make("figure", {}, view.mapTitle, view.map),
  );
  return view;
}

/** Cuts the parts out of a frame. */
function paint(view, image) {
  const copy = (canvas, row, rows, columns, toRow, fromColumn = 0) => canvas.getContext("2d").drawImage(image,
    fromColumn * TILE, row * TILE, columns * TILE, rows * TILE, 0, toRow * TILE, columns * TILE, rows * TILE);
  copy(view.map, MAP, SIDE, SIDE, 0);
  for (let i = 0; i < 4; i += 1) copy(view.samples, SAMPLES + Math.floor(i / 2), 1, SHOWN, i, (i % 2) * SHOWN);
  copy(view.pairs, ORIGINALS, 1, SHOWN, 0);
  copy(view.pairs, MADE, 1, SHOWN, 1);
}
