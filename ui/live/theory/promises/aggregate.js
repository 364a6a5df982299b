// q(z), the average of the test images' q(z|x), beside the prior that new samples are drawn from.

import { answerOf, failed, newest } from "../../shared/ask.js";
import { model, onModel, pictures } from "../../shared/model.js";
import { bytes, make, minus, paint, penOf } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { dragged } from "../parts/drag.js";
import { Square } from "./square.js";

/** @import { Aggregate } from "../../shared/types.js" */
/** @import { Given, Part } from "./promises.js" */

const STEP = 0.1; // of an arrow key, in standard deviations
const SEEN = [0, 114, 178]; // q's blue, which shows as far as there is density

/** @type {Part} */
export const aggregate = {
  title: "q(z)",
  claim: "Samples start from p(z), the dashed circles. The images’ own q(z), blue, is not p(z): move z into a hole.",
  rows: [
    { name: "mean_kl", title: "KL(q(z|x) ‖ p(z)), mean", term: "kl", kind: "general" },
    { name: "information", title: "of it $I(x; z)$, between", kind: "general" },
    { name: "marginal", title: "of it KL(q(z) ‖ p(z)), between", term: "gap", kind: "general" },
  ],
  build,
};

/** @param {Given} given */
function build({ frame, place, acted }) {
  const square = new Square("q(z) of the test images, and the prior", 3.5);
  const note = make("p", { className: "live-found" });
  const decoded = make("canvas", { className: "live-decoded-z", role: "img", ariaLabel: "the mean of p(x|z)" });
  const side = make("figure", { className: "live-strip" }, make("figcaption", {}, "mean of p(x|z)"), decoded);
  let isShown = false;
  let version = "";
  const turn = newest();
  /** @type {Aggregate | null} */
  let found = null;
  const moved = grip(square, () => paintAt(decoded, found, moved.at), acted);
  const ask = async () => {
    if (!isShown || !model.about) return;
    const isNewest = turn();
    const answer = await answerOf(frame.server.aggregate({ model: model.id }));
    if (!isNewest()) return;
    found = failed(answer) ? null : answer;
    if (failed(answer)) {
      note.textContent = answer.error;
      return;
    }
    if (version === `${model.id} ${answer.version}`) return;
    version = `${model.id} ${answer.version}`;
    show(square, answer);
    moved.draw();
    paintAt(decoded, answer, moved.at);
    const from = (/** @type {[number, number]} */ [low, high]) =>
      `${minus(low.toFixed(2))} and ${minus(high.toFixed(2))}`;
    const { kl, information, marginal } = answer;
    frame.show({ mean_kl: kl, information: from(information), marginal: from(marginal) });
    const images = answer.images.toLocaleString("en");
    note.textContent = `${images} test images of ${answer.data} give bounds; nobody knows q(z) itself.`;
  };
  onModel(ask);
  place.append(make("div", { className: "live-with-strip" }, make("div", {}, square.node, note), side));
  return {
    shown: () => {
      isShown = true;
      ask();
    },
    hidden: () => {
      isShown = false;
    },
  };
}

/**
 * @param {Square} square
 * @param {Aggregate} found
 */
function show(square, { density, cells, half }) {
  square.resize(half);
  [square.canvas.width, square.canvas.height] = [cells, cells];
  const pen = penOf(square.canvas);
  const image = pen.createImageData(cells, cells);
  for (const [n, value] of bytes(density).entries()) {
    image.data.set([...SEEN, Math.round(255 * Math.sqrt(value / 255))], 4 * n);
  }
  pen.putImageData(image, 0, 0);
}

/**
 * The mean of p(x|z) at a place of the square; the other dimensions are at the prior's mean.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Aggregate | null} found
 * @param {number[]} at
 */
function paintAt(canvas, found, at) {
  if (!found || !model.about) return;
  const { prior_mean: mean, prior_std: std, dims } = model.about;
  const z = new Float32Array(dims.length).fill(mean);
  for (const [k, j] of found.dims.entries()) z[j] = mean + std * at[k];
  pictures("promises", [z], (_, grey) => paint(canvas, grey));
}

/**
 * A z to drag over the square: where it is, and what draws it again.
 *
 * @param {Square} square
 * @param {() => void} onMove
 * @param {() => void} acted
 */
function grip(square, onMove, acted) {
  const at = [0, 0];
  const node = svg(
    "g",
    { class: "live-handle", role: "slider", tabindex: 0, "aria-label": "z", "aria-valuenow": 0 },
    svg("circle", { class: "live-room", r: 22 }),
    svg("circle", { r: 8 }),
  );
  square.layer.append(node);
  const draw = () => {
    const text = at.map((value) => minus(value.toFixed(1))).join(", ");
    set(node, { transform: `translate(${square.px(at[0])},${square.py(at[1])})`, "aria-valuetext": text });
    set(node, { "aria-valuenow": at[0].toFixed(2) });
  };
  const put = (/** @type {number} */ x, /** @type {number} */ y) => {
    const stop = (/** @type {number} */ value) => Math.max(-square.half, Math.min(square.half, value));
    at.splice(0, 2, stop(x), stop(y));
    draw();
    onMove();
    acted();
  };
  dragged(node, (event) => {
    const { x, y } = square.at(event);
    put(x, y);
  });
  node.addEventListener("keydown", (event) => {
    const ways = { ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowLeft: [-1, 0], ArrowDown: [0, -1] };
    const way = ways[/** @type {keyof typeof ways} */ (event.key)];
    if (!way) return;
    event.preventDefault();
    put(at[0] + STEP * way[0], at[1] + STEP * way[1]);
  });
  draw();
  return { at, draw };
}
