// The shipped linear model against the optimum that is known in closed form: probabilistic PCA (T20a).

import { answerOf, failed } from "../../shared/ask.js";
import { bytes, make, paint } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { LEFT, Plot } from "../parts/plot.js";

/** @import { Optimum } from "../../shared/types.js" */
/** @import { Given, Part } from "./promises.js" */

/** @type {Part} */
export const linear = {
  title: "PCA",
  claim:
    "The linear Gaussian model’s optimum is known: PCA. Training by the ELBO found its axes, up to a rotation of z.",
  rows: [
    { name: "optimum", title: "log p(x), the optimum", term: "evidence", kind: "exact" },
    { name: "learned", title: "log p(x), the shipped model", term: "evidence", kind: "exact" },
    { name: "missing", title: "short of the optimum by", kind: "exact" },
    { name: "linear_gap", title: "gap of the encoder’s q", term: "gap", kind: "exact" },
    { name: "angle", title: "largest angle between axes, degrees", kind: "exact" },
  ],
  build,
};

/** @param {Given} given */
function build({ frame, place }) {
  const note = make("p", { className: "live-found" });
  place.append(note);
  answerOf(frame.server.optimum({})).then((found) => {
    if (failed(found)) note.textContent = found.error;
    else place.append(...pictures(found));
    if (!failed(found)) note.remove();
    if (!failed(found)) tell(found);
  });
  const tell = (/** @type {Optimum} */ found) => {
    const { best, learned, gap, cosines } = found;
    const angle = (Math.acos(Math.min(1, ...cosines.map(Math.abs))) * 180) / Math.PI;
    frame.show({ optimum: best, learned, missing: best - learned, linear_gap: gap, angle });
  };
  return {};
}

/** @param {Optimum} found */
function pictures(found) {
  const figure = (/** @type {string} */ images, /** @type {string} */ caption) => {
    const canvas = make("canvas", { className: "live-axes-pictures", role: "img", ariaLabel: caption });
    paint(canvas, bytes(images), found.variances.length);
    return make("figure", {}, make("figcaption", {}, caption), canvas);
  };
  const count = found.variances.length;
  const top = Math.max(...found.variances, ...found.best_variances) * 1.18;
  const plot = new Plot({ x: [0, count], y: [0, top], ratio: 0.42, left: LEFT, label: "variances along the axes" });
  plot.valueAxis("variance along each axis");
  const bars = found.best_variances.flatMap((best, n) => [
    { at: n + 0.14, value: best, className: "live-bar-other" },
    { at: n + 0.5, value: found.variances[n], className: "live-bar-own" },
  ]);
  const nodes = bars.map(({ className }) => svg("rect", { class: className, rx: 2 }));
  const written = bars.map(({ value }) => svg("text", { "text-anchor": "middle" }, value.toFixed(1)));
  plot.layer.append(...nodes, ...written);
  plot.add(() => {
    const width = 0.34 * (plot.px(1) - plot.px(0));
    for (const [n, { at, value }] of bars.entries()) {
      const y = plot.py(value);
      set(nodes[n], { x: plot.px(at), y, width, height: plot.py(0) - y });
      set(written[n], { x: plot.px(at) + width / 2, y: y - 5, display: width < 20 ? "none" : "inline" });
    }
  });
  const missing = (found.best - found.learned).toFixed(2);
  const key = make(
    "p",
    { className: "live-found" },
    swatch("live-bar-other"),
    " eigenvalues of the images’ covariance, ",
    swatch("live-bar-own"),
    ` the model’s. What still differs costs ${missing} nats.`,
  );
  return [
    make(
      "div",
      { className: "live-pairs" },
      figure(found.best_directions, "principal axes of the training images"),
      figure(found.directions, "what the decoder learned, z rotated to fit"),
    ),
    plot.node,
    key,
  ];
}

/** A spot of a bar's colour. @param {string} bar */
const swatch = (bar) => make("i", { className: `live-swatch ${bar}`, ariaHidden: "true" });
