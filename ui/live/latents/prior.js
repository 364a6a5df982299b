// Draws from the prior: a grid of pictures, as pixel probabilities or as drawn pixels, each with the training image
// nearest to it, so that copying would show.

import { answerOf, failed, newest } from "../shared/ask.js";
import { model, onModelAtLeisure, pictures } from "../shared/model.js";
import { base64, bytes, make, paint } from "../shared/page.js";
import { normal } from "../space/normal.js";
import { movePoint } from "../space/point.js";
import { word } from "../words/word.js";
import { section } from "./section.js";

/** @import { Place, Z } from "../shared/types.js" */
/** @typedef {ReturnType<typeof layout>} View */

const COUNT = 64;
const COLUMNS = 8;
const ROWS = COUNT / COLUMNS;

/**
 * The draws.
 *
 * @param {Place} place
 */
export function prior({ say, server }) {
  const content = make("div");
  const view = layout(content);
  const grey = new Uint8Array(784 * COUNT); // pixel probabilities
  /** @type {Z[]} */
  let noise = [];
  /** @type {Z[]} */
  let points = [];
  const turn = newest();

  const draw = () => paint(view.grid, view.binary.checked ? drawnOf(grey) : grey, COLUMNS, ROWS);
  const refresh = () => {
    if (!model.about) return;
    const { prior_mean: mean, prior_std: std } = model.about;
    const temperature = Number(view.temperature.value);
    points = noise.map((eps) => eps.map((value) => mean + temperature * std * value));
    view.output.textContent = temperature.toFixed(2);
    pictures(
      "prior",
      points,
      (n, picture) => grey.set(picture, 784 * n),
      () => {
        draw();
        neighbours();
      },
    );
  };
  const again = () => {
    const { about } = model;
    if (!about) return;
    noise = Array.from({ length: COUNT }, () => Float32Array.from(about.dims, normal));
    refresh();
  };
  const neighbours = async () => {
    view.pair.hidden = !view.nearest.checked;
    if (!view.nearest.checked) return;
    const isNewest = turn();
    const answer = await answerOf(server.neighbours({ model: model.id, images: text(grey) }));
    if (!isNewest()) return;
    if (failed(answer)) {
      say(answer.error);
      return;
    }
    paint(view.neighbours, bytes(answer.image), COLUMNS, ROWS);
    view.neighbours.dataset.labels = answer.labels.join(" ");
  };
  view.again.onclick = again;
  view.temperature.oninput = refresh;
  view.binary.onchange = draw;
  view.nearest.onchange = neighbours;
  choosing(view.grid, () => points);
  onModelAtLeisure(({ about }, isOther) => {
    if (!about) return;
    view.binary.disabled = about.likelihood !== "bernoulli"; // else a drawn x is neither black nor white
    if (view.binary.disabled) view.binary.checked = false;
    if (isOther || noise[0]?.length !== about.dims.length) again();
    else refresh();
  });
  const title = make("span", {}, "Draw from the ", word("prior", "prior"));
  return { node: section(title, "prior", content) };
}

/**
 * Moves the point to the draw that is pressed, or gone to by the arrow keys.
 *
 * @param {HTMLCanvasElement} grid
 * @param {() => Z[]} points
 */
function choosing(grid, points) {
  let chosen = -1; // of the grid's pictures
  const say = () => {
    const text = chosen < 0 ? "none chosen" : `picture ${chosen + 1} of ${COUNT}`;
    Object.assign(grid, { ariaValueMin: "0", ariaValueMax: String(COUNT), ariaValueNow: String(chosen + 1) });
    grid.ariaValueText = text;
  };
  say();
  const choose = (/** @type {number} */ n) => {
    chosen = Math.min(COUNT - 1, Math.max(0, n));
    say();
    const z = points()[chosen];
    if (z) movePoint(z, "prior");
  };
  grid.onclick = ({ offsetX, offsetY }) => {
    const [column, row] = [offsetX / grid.clientWidth, offsetY / grid.clientHeight].map((share) =>
      Math.min(COLUMNS - 1, Math.floor(share * COLUMNS)),
    );
    choose(row * COLUMNS + column);
  };
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };
  grid.onkeydown = (event) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    choose(chosen < 0 ? 0 : chosen + step);
  };
}

/**
 * Pixels drawn with these probabilities, each by the same number at every look, so that nothing flickers.
 *
 * @param {Uint8Array} grey
 */
const drawnOf = (grey) => Uint8Array.from(grey, (value, i) => (255 * fixed(i) < value ? 255 : 0));

/**
 * A number in [0, 1) that looks random.
 *
 * @param {number} i
 */
function fixed(i) {
  const x = Math.sin(12.9898 * (i + 1)) * 43758.5453;
  return x - Math.floor(x);
}

/**
 * Base64 of many bytes.
 *
 * @param {Uint8Array} all
 */
function text(all) {
  let made = "";
  for (let i = 0; i < all.length; i += 30_000) made += base64(all.subarray(i, i + 30_000)); // a multiple of three
  return made;
}

/** @param {HTMLElement} node */
function layout(node) {
  const title = "Press a picture to move the point there; the arrow keys go from one to the next";
  const neighbours = make("canvas", { className: "live-grid" });
  const caption = make("figcaption", {}, "Of each, the nearest training image");
  const view = {
    again: make("button", { type: "button" }, "New draws"),
    temperature: make("input", { type: "range", min: 0, max: 2, step: 0.05, value: 1, ariaLabel: "Temperature" }),
    output: make("output"),
    binary: make("input", { type: "checkbox" }),
    nearest: make("input", { type: "checkbox" }),
    grid: make("canvas", { className: "live-grid", tabIndex: 0, title }),
    neighbours,
    pair: make("figure", { hidden: true }, neighbours, caption),
  };
  view.grid.setAttribute("role", "slider");
  view.grid.setAttribute("aria-label", "Draws from the prior");
  const formula = make("figcaption", {}, "z = μ + temperature · σ · ", word("epsilon", "ε"), ", with ε from N(0, I)");
  node.append(
    make(
      "div",
      { className: "live-controls" },
      view.again,
      make("label", {}, "Temperature ", view.temperature, view.output),
      make("label", {}, view.binary, " drawn x instead of probabilities"),
      make("label", {}, view.nearest, " nearest training images"),
    ),
    make("div", { className: "live-grids" }, make("figure", {}, view.grid, formula), view.pair),
  );
  return view;
}
