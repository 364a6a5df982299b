// Draws from the prior: a grid of pictures, as pixel probabilities or as drawn pixels, each with the training image that
// is nearest to it, so that copying would show.

import { model, onModelAtLeisure, pictures } from "../shared/model.js";
import { normal } from "../shared/normal.js";
import { answerOf, base64, bytes, make, paint } from "../shared/page.js";
import { movePoint } from "../shared/point.js";

const COUNT = 64;
const COLUMNS = 8;

/** Puts the draws into a node; `places`: say and server of the tab. */
export function prior(node, { say, server }) {
  const view = layout(node);
  const grey = new Uint8Array(784 * COUNT); // pixel probabilities
  let noise = [];
  let points = [];

  const temperature = () => Number(view.temperature.value);
  const drawn = () => Uint8Array.from(grey, (value, i) => (255 * fixed(i) < value ? 255 : 0));
  const refresh = () => {
    if (!model.about) return;
    const { prior_mean: mean, prior_std: std } = model.about;
    points = noise.map((eps) => Float32Array.from(eps, (value) => mean + temperature() * std * value));
    view.output.textContent = temperature().toFixed(2);
    pictures(
      "prior",
      points,
      (n, picture) => grey.set(picture, 784 * n),
      () => {
        paint(view.grid, view.binary.checked ? drawn() : grey, COLUMNS, COUNT / COLUMNS);
        neighbours();
      },
    );
  };
  const again = () => {
    if (!model.about) return;
    noise = Array.from({ length: COUNT }, () => Float32Array.from(model.about.dims, normal));
    refresh();
  };
  let asked = 0;
  const neighbours = async () => {
    view.pair.hidden = !view.nearest.checked;
    if (!view.nearest.checked) return;
    asked += 1;
    const mine = asked;
    const answer = await answerOf(server.neighbours({ model: model.id, images: text(grey) }));
    if (mine !== asked) return;
    if (answer.error) return void say(answer.error);
    paint(view.neighbours, bytes(answer.image), COLUMNS, COUNT / COLUMNS);
    view.neighbours.dataset.labels = answer.labels.join("");
  };
  view.again.onclick = again;
  view.temperature.oninput = refresh;
  view.binary.onchange = () => paint(view.grid, view.binary.checked ? drawn() : grey, COLUMNS, COUNT / COLUMNS);
  view.nearest.onchange = neighbours;
  let chosen = -1; // of the grid's pictures, by the arrow keys
  const choose = (n) => {
    chosen = Math.min(COUNT - 1, Math.max(0, n));
    view.grid.setAttribute("aria-valuetext", `picture ${chosen + 1} of ${COUNT}`);
    if (points[chosen]) movePoint(points[chosen], "prior");
  };
  view.grid.onclick = ({ offsetX, offsetY }) => {
    const [column, row] = [offsetX / view.grid.clientWidth, offsetY / view.grid.clientHeight].map((share) =>
      Math.min(COLUMNS - 1, Math.floor(share * COLUMNS)),
    );
    choose(row * COLUMNS + column);
  };
  view.grid.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(chosen < 0 ? 0 : chosen + step);
  };
  onModelAtLeisure(({ about }, anew) => {
    if (!about) return;
    view.binary.disabled = about.likelihood !== "bernoulli"; // else a drawn x is neither black nor white
    if (view.binary.disabled) view.binary.checked = false;
    if (anew || noise[0]?.length !== about.dims.length) again();
    else refresh();
  });
}

/** The same number in [0, 1) for the same pixel at every look, so that a drawn x does not flicker. */
function fixed(i) {
  const x = Math.sin(12.9898 * (i + 1)) * 43758.5453;
  return x - Math.floor(x);
}

/** Base64 of many bytes. */
function text(all) {
  let made = "";
  for (let i = 0; i < all.length; i += 30_000) made += base64(all.subarray(i, i + 30_000)); // a multiple of three
  return made;
}

function layout(node) {
  const view = {
    again: make("button", { type: "button" }, "New draws"),
    temperature: make("input", { type: "range", min: 0, max: 2, step: 0.05, value: 1, ariaLabel: "Temperature" }),
    output: make("output"),
    binary: make("input", { type: "checkbox" }),
    nearest: make("input", { type: "checkbox" }),
    grid: make("canvas", {
      className: "live-grid",
      tabIndex: 0,
      title: "Press a picture to move the point there; the arrow keys go from one to the next",
    }),
    neighbours: make("canvas", { className: "live-grid" }),
  };
  view.grid.setAttribute("role", "slider");
  view.grid.setAttribute("aria-label", "Draws from the prior");
  view.pair = make(
    "figure",
    { hidden: true },
    view.neighbours,
    make("figcaption", {}, "Of each, the nearest training image"),
  );
  node.append(
    make(
      "div",
      { className: "live-controls" },
      view.again,
      make("label", {}, "Temperature ", view.temperature, view.output),
      make("label", {}, view.binary, " drawn x instead of probabilities"),
      make("label", {}, view.nearest, " nearest training images"),
    ),
    make(
      "div",
      { className: "live-grids" },
      make("figure", {}, view.grid, make("figcaption", {}, "z = μ + temperature · σ · ε, with ε from N(0, I)")),
      view.pair,
    ),
  );
  return view;
}
