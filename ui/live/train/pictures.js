// What the model makes while it learns, cut from the frames of its training: reconstructions of held-out images,
// samples from the prior, and the latent map; newest, or at the moment that the range above goes back to.

import { failed } from "../shared/ask.js";
import { feed, show } from "../shared/feed.js";
import { make, penOf, rootOf } from "../shared/page.js";
import { FRAME_SIDE as SIDE, IMAGE_SIDE as TILE } from "../shared/vocabulary.js";
import { word } from "../words/word.js";
import { scrubber, shown } from "./film.js";

/** @import { Component } from "../shared/types.js" */

const HALF = SIDE / 2;
const GAP = 4; // px between the first ten held-out images with their reconstructions, and the last ten
const [MAP, SAMPLES, ORIGINALS, MADE] = [0, SIDE, SIDE + 2, SIDE + 3]; // the first row of each

/**
 * The pictures of the followed run.
 *
 * @param {Component} component
 */
export function mount({ element }) {
  const node = rootOf(element);
  const view = layout(node);
  /** @type {string | null} */
  let wanted = null; // the frame that was asked for last
  let asked = 0; // numbers the frames: a late one may be shown still, as long as no newer one has been
  let painted = 0;

  const look = async () => {
    const frame = shown();
    const name = frame ? `${feed.run} ${frame.version}` : "";
    if (name === wanted) return;
    asked += 1;
    const mine = asked;
    if (!name || !wanted?.startsWith(`${feed.run} `)) painted = mine; // those of another run come too late
    wanted = name;
    if (!frame || node.dataset.run !== feed.run) node.classList.add("live-waiting");
    const picture = await frame?.get();
    if (!picture || mine < painted) return;
    view.message.hidden = !failed(picture);
    if (failed(picture)) {
      view.message.textContent = `The pictures did not come. ${picture.error}`;
      if (picture.silent && mine === asked) wanted = null; // the next look asks again
      return;
    }
    painted = mine;
    paint(view, picture.image);
    picture.image.close();
    view.mapTitle.textContent = mapTitle(picture.dims);
    node.classList.remove("live-waiting");
    Object.assign(node.dataset, { run: feed.run, version: frame?.version });
  };
  show(node, look);
}

/**
 * What the map shows.
 *
 * @param {string[]} dims as its frame names them
 */
function mapTitle([first, second]) {
  if (second === undefined) return `Latent map: the prior's quantiles of z${first}, in reading order`;
  const isPlane = feed.about?.latent_dim === 2;
  return isPlane
    ? "Latent map: what every point decodes to"
    : `Latent map over the two most used dimensions (z${first} →, z${second} ↑)`;
}

/** @param {HTMLElement} node */
function layout(node) {
  const view = {
    pairs: make("canvas", {
      width: HALF * TILE,
      height: 4 * TILE + GAP,
      title: "In each pair of rows: held-out images above, their reconstructions below.",
    }),
    samples: make("canvas", {
      width: HALF * TILE,
      height: 4 * TILE,
      title: "Decoded draws from the prior, always of the same noise.",
    }),
    map: make("canvas", {
      className: "live-plane-of-codes",
      width: SIDE * TILE,
      height: SIDE * TILE,
      title: "Decoded points through the prior's quantiles; all other dimensions are at the prior's mean.",
    }),
    mapTitle: make("span", {}, "Latent map"),
    message: make("div", { className: "live-message", role: "status", hidden: true }),
  };
  node.append(
    scrubber("Moment of the training"),
    view.message,
    figure(
      "pairs",
      make("figcaption", {}, word("held_out", "Test images"), " (above), what the model makes of them (below)"),
      view.pairs,
    ),
    figure("samples", make("figcaption", {}, "Samples from the ", word("prior", "prior")), view.samples),
    figure("map", make("figcaption", {}, view.mapTitle, word("latent_map")), view.map),
  );
  return view;
}

/**
 * @param {string} name
 * @param {...Node} parts
 */
const figure = (name, ...parts) => make("figure", { className: `live-${name}` }, ...parts);

/**
 * Cuts the parts out of a frame.
 *
 * @param {ReturnType<typeof layout>} view
 * @param {ImageBitmap} image
 */
function paint(view, image) {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} row
   * @param {number} rows
   * @param {number} columns
   * @param {number} top
   */
  const copy = (canvas, row, rows, columns, top, from = 0) => {
    const [width, height] = [columns * TILE, rows * TILE];
    penOf(canvas).drawImage(image, from * TILE, row * TILE, width, height, 0, top, width, height);
  };
  copy(view.map, MAP, SIDE, SIDE, 0);
  for (const half of [0, 1]) {
    for (const row of [0, 1]) copy(view.samples, SAMPLES + row, 1, HALF, (2 * row + half) * TILE, half * HALF);
    const top = half * (2 * TILE + GAP);
    copy(view.pairs, ORIGINALS, 1, HALF, top, half * HALF);
    copy(view.pairs, MADE, 1, HALF, top + TILE, half * HALF);
  }
}
