// What the model makes while it learns, cut from the frames of its training: reconstructions of held-out images,
// samples from the prior, and the latent map; newest, or at the moment that the range above goes back to.

import { leading, modelOfRun, toDraw, toPoint } from "../page/leads.js";
import { failed } from "../shared/ask.js";
import { tiles } from "../shared/cells.js";
import { feed, show } from "../shared/feed.js";
import { make, penOf, rootOf } from "../shared/page.js";
import { FAINTEST, FRAME_SIDE as SIDE, IMAGE_SIDE as TILE } from "../shared/vocabulary.js";
import { quantile } from "../space/normal.js";
import { word } from "../words/word.js";
import { scrubber, shown } from "./film.js";

/** @import { Component, Description } from "../shared/types.js" */

const HALF = SIDE / 2;
const GAP = 4; // px between the first ten held-out images with their reconstructions, and the last ten
const [MAP, SAMPLES, ORIGINALS, MADE] = [0, SIDE, SIDE + 2, SIDE + 3]; // the first row of each
const PAIRS = [0, TILE, 2 * TILE + GAP, 3 * TILE + GAP]; // where the rows of pairs begin, in px; images in every other

/**
 * The pictures of the followed run.
 *
 * @param {Component} component
 */
export function mount({ element }) {
  const node = rootOf(element);
  /** @type {string[]} */
  let dims = []; // of the map that is shown
  const view = layout(node, (n) => toPoint((about) => pointOf(n, dims.map(Number), about)));
  /** @type {string | null} */
  let wanted = null; // the frame that was asked for last
  let asked = 0; // numbers the frames: a late one may be shown still, as long as no newer one has been
  let painted = 0;

  const look = async () => {
    node.classList.toggle("live-leads", modelOfRun() !== "");
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
    dims = picture.dims;
    view.mapTitle.textContent = mapTitle(dims);
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

/**
 * The point of a cell of the map, as `map_points` of vae_core/runs/film.py has it.
 *
 * @param {number} n
 * @param {number[]} dims of the map
 * @param {Description} about
 */
function pointOf(n, [first, second], { dims, prior_mean: mean, prior_std: std }) {
  const z = dims.map(() => mean);
  const at = (/** @type {number} */ place, count = SIDE) => mean + std * quantile((place + 0.5) / count);
  if (second === undefined) {
    z[first] = at(n, SIDE * SIDE);
    return z;
  }
  z[first] = at(n % SIDE);
  z[second] = at(SIDE - 1 - Math.floor(n / SIDE));
  return z;
}

/**
 * The picture of a cell, without the traces of the frame's compression: black and white where x is, and else nothing
 * fainter than can be seen.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} column
 * @param {number} top
 * @param {boolean} isImage whether it is x, and not the mean of a p(x|z)
 */
function cut(canvas, column, top, isImage) {
  const { data } = penOf(canvas).getImageData(column * TILE, top, TILE, TILE);
  const isBinary = isImage && feed.about?.binarization !== "grey";
  return Uint8Array.from({ length: TILE * TILE }, (_, p) => {
    const value = data[4 * p];
    if (isBinary) return value < 128 ? 0 : 255;
    return value < 255 * FAINTEST ? 0 : value;
  });
}

/**
 * @param {HTMLElement} node
 * @param {(n: number) => void} toMap opens a cell of the map in Latents
 */
function layout(node, toMap) {
  const row = (/** @type {number} */ n) => Math.floor(n / HALF);
  const isImage = (/** @type {number} */ n) => row(n) % 2 === 0;
  const view = {
    pairs: make("canvas", { width: HALF * TILE, height: 4 * TILE + GAP }),
    samples: make("canvas", { width: HALF * TILE, height: 4 * TILE }),
    map: make("canvas", { className: "live-plane-of-codes", width: SIDE * TILE, height: SIDE * TILE }),
    mapTitle: make("span", {}, "Latent map"),
    message: make("div", { className: "live-message", role: "status", hidden: true }),
  };
  const rows = (/** @type {number} */ count) => Array.from({ length: count }, (_, at) => at * TILE);
  const pairs = tiles(
    view.pairs,
    { columns: HALF, tops: PAIRS },
    {
      name: (n) => leading(`Open this ${isImage(n) ? "test image" : "reconstruction"} in Draw`),
      choose: (n) => toDraw(cut(view.pairs, n % HALF, PAIRS[row(n)], isImage(n))),
    },
  );
  const samples = tiles(
    view.samples,
    { columns: HALF, tops: rows(4) },
    {
      name: () => leading("Open this sample in Draw"),
      choose: (n) => toDraw(cut(view.samples, n % HALF, row(n) * TILE, false)),
    },
  );
  const map = tiles(
    view.map,
    { columns: SIDE, tops: rows(SIDE) },
    { name: () => leading("Open this point in Latents"), choose: toMap },
  );
  node.append(
    scrubber("Moment of the training"),
    view.message,
    figure(
      "pairs",
      make("figcaption", {}, word("held_out", "Test images"), " (above), what the model makes of them (below)"),
      pairs,
    ),
    figure("samples", make("figcaption", {}, "Samples from the ", word("prior", "prior")), samples),
    figure("map", make("figcaption", {}, view.mapTitle, word("latent_map")), map),
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
