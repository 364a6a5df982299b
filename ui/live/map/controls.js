// The map's controls: which plane, on which scale, and what is shown on it.

import { make } from "../shared/page.js";
import { word } from "../words/word.js";
import { choices } from "./choices.js";

/** @import { Description } from "../shared/types.js" */
/** @typedef {ReturnType<typeof layout>} View */

/** @type {[string, number, string][]} */
const ZOOMS = [
  ["−", 2, "Zoom out"],
  ["+", 0.5, "Zoom in"],
  ["All", 0, "See all"],
];

/**
 * @param {string} ariaLabel
 * @param {...[string, string]} options
 */
const select = (ariaLabel, ...options) =>
  make("select", { ariaLabel }, ...options.map(([value, text]) => make("option", { value }, text)));

/** @param {boolean} checked */
const tick = (checked) => make("input", { type: "checkbox", checked });

/**
 * Lays out the map.
 *
 * @param {HTMLElement} node
 */
export function layout(node) {
  const [first, second] = [select("Across"), select("Up")];
  const truth = select("q over the exact posterior of"); // which an image is chosen for
  const view = {
    which: select("Plane"),
    first,
    second,
    choose: make("label", {}, first, " × ", second),
    scale: select("Scale", ["square", "equal steps"], ["quantiles", "equal probability"]),
    tiles: tick(true),
    points: tick(true),
    rings: tick(false),
    truth,
    exact: make("label", {}, "q and exact ", word("posterior", "posterior"), " of ", truth),
    place: make("div", { className: "live-map-plot" }),
    marker: make("div", { className: "live-marker", tabIndex: 0, id: "latents-point" }),
    preview: make("canvas", { className: "live-preview", hidden: true }),
    zoom: ZOOMS.map(([text, factor, ariaLabel]) => ({
      factor,
      node: make("button", { type: "button", title: ariaLabel, ariaLabel }, text),
    })),
    note: make("small", {}),
  };
  view.marker.setAttribute("role", "slider");
  view.marker.setAttribute("aria-label", "The point: arrow keys move it");
  node.append(
    make(
      "div",
      { className: "live-controls" },
      make("label", {}, "Plane ", view.which),
      view.choose,
      make("label", {}, "Scale ", view.scale),
      make("label", {}, view.tiles, " pictures"),
      make("label", {}, view.points, " test images"),
      make("label", {}, view.rings, " prior 1, 2, 3 σ"),
      view.exact,
      make("span", {}, ...view.zoom.map((it) => it.node)),
    ),
    make("div", { className: "live-map-frame" }, view.place, view.marker, view.preview),
    view.note,
  );
  return view;
}

/**
 * Fills the choices for a model.
 *
 * @param {View} view
 * @param {Description} about
 */
export function offer(view, about) {
  const dims = about.dims.map(({ index }) => index);
  const best = dims.slice(0, 2).sort((a, b) => a - b);
  const options = () => dims.map((j) => make("option", { value: j }, `z${j}`));
  view.which.replaceChildren(...planes(dims, best));
  view.first.replaceChildren(...options());
  view.second.replaceChildren(...options());
  const [a, b] = choices.plane.split(",").map(Number);
  const known = choices.plane.includes(",") && a !== b && dims.includes(a) && dims.includes(b);
  const [first, second] = known ? [a, b] : best;
  view.first.value = String(first);
  view.second.value = String(second);
  if (dims.length === 2) view.which.value = "best";
  else if (choices.plane === "principal") view.which.value = "principal";
  else view.which.value = known ? "chosen" : "best";
  view.scale.value = choices.scale;
  view.exact.hidden = dims.length !== 2;
  const { truth } = view;
  const chosen = truth.value;
  truth.replaceChildren(
    make("option", { value: "" }, "no image"),
    make("option", { value: "drawing" }, "my drawing"),
    ...about.examples.map(({ label }, n) => make("option", { value: n }, `test image of label ${label}`)),
  );
  truth.value = [...truth.options].some(({ value }) => value === chosen) ? chosen : "";
  read(view);
}

/**
 * The planes that a model offers.
 *
 * @param {number[]} dims
 * @param {number[]} best
 */
function planes(dims, best) {
  if (dims.length === 2) return [make("option", { value: "best" }, "z0 × z1")];
  const first = make("option", { value: "best" }, `most informative, z${best[0]} × z${best[1]}`);
  if (dims.length < 2) return [first];
  return [
    first,
    make("option", { value: "principal" }, "principal axes of the means"),
    make("option", { value: "chosen" }, "two dimensions"),
  ];
}

/**
 * Takes what is chosen into the address.
 *
 * @param {View} view
 */
export function read({ which, first, second, scale, choose }) {
  choose.hidden = which.value !== "chosen";
  if (which.value === "chosen" && first.value === second.value) {
    const others = [...second.options].map(({ value }) => value).filter((value) => value !== first.value);
    second.value = others[0];
  }
  if (which.value === "chosen") choices.plane = `${first.value},${second.value}`;
  else choices.plane = which.value === "principal" ? "principal" : "";
  choices.scale = scale.value;
  dispatchEvent(new Event("vae-view"));
}
