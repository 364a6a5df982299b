// The hand on the map: hovering decodes, pressing and dragging moves the point, as the arrow keys do.

import { model, picture } from "../shared/model.js";
import { paint } from "../shared/page.js";
import { movePoint, point } from "../space/point.js";

/** @import { Plane } from "../space/plane.js" */
/** @import { Plot } from "../shared/types.js" */
/** @import { View } from "./controls.js" */
/** @typedef {{ clientX: number, clientY: number }} Spot */

const TAP = 10; // px that a finger may move in a tap
/** @type {Record<string, number[]>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/**
 * Takes the pointers and keys of a map.
 *
 * @param {View} view
 * @param {Plot} plot
 * @param {() => Plane | null} planeOf the plane that is shown
 */
export function pointers(view, plot, planeOf) {
  const there = (/** @type {Spot} */ spot) => pointAt(plot, planeOf(), spot);
  const go = (/** @type {Spot} */ spot) => {
    const z = there(spot);
    if (z) movePoint(z, "map");
  };
  pressing(plot, there, go);
  hovering(view, plot, there);
  marker(view, plot, planeOf, go);
}

/**
 * The point of latent space at a spot of the screen; null outside of the map.
 *
 * @param {Plot} plot
 * @param {Plane | null} plane
 * @param {Spot} spot
 */
function pointAt(plot, plane, { clientX, clientY }) {
  const { left, top } = plot.getBoundingClientRect();
  const { xaxis, yaxis } = plot._fullLayout;
  const [x, y] = [clientX - left - xaxis._offset, clientY - top - yaxis._offset];
  if (!plane || !point.z || x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return null;
  return plane.through(point.z, [plane.at(xaxis.p2d(x), 0), plane.at(yaxis.p2d(y), 1)]);
}

/**
 * A mouse moves the point from its press on; of a finger or pen a tap moves it, and a swipe scrolls the page.
 *
 * @param {Plot} plot
 * @param {(spot: Spot) => Float32Array | null} there
 * @param {(spot: Spot) => void} go
 */
function pressing(plot, there, go) {
  let pressed = false;
  /** @type {PointerEvent | null} */
  let touched = null; // where a finger or pen came down
  const press = (/** @type {PointerEvent} */ event) => {
    if (touched?.pointerType === "pen" && event.pointerType === "touch") return; // the palm of the hand with the pen
    touched = null;
    const onMap = /** @type {Element} */ (event.target).closest(".draglayer, .plot-container .gl-container");
    if (event.button !== 0 || !onMap || !there(event)) return;
    if (event.pointerType !== "mouse") {
      touched = event;
      return;
    }
    pressed = true;
    go(event);
  };
  plot.addEventListener("pointerdown", press, true);
  addEventListener("pointermove", (event) => pressed && go(event));
  addEventListener("pointerup", (event) => {
    pressed = false;
    if (touched?.pointerId !== event.pointerId) return; // a palm may leave before the pen
    const moved = Math.hypot(event.clientX - touched.clientX, event.clientY - touched.clientY);
    if (moved < TAP) go(event);
    touched = null;
  });
  addEventListener("pointercancel", (event) => {
    pressed = false;
    if (touched?.pointerId === event.pointerId) touched = null;
  });
}

/**
 * Shows the picture of the point under a mouse.
 *
 * @param {View} view
 * @param {Plot} plot
 * @param {(spot: Spot) => Float32Array | null} there
 */
function hovering({ preview }, plot, there) {
  plot.addEventListener("pointermove", (event) => {
    const z = event.pointerType === "touch" || event.buttons ? null : there(event);
    const grey = z && picture(z);
    preview.hidden = !grey;
    if (!grey) return;
    paint(preview, grey);
    const { left, top } = /** @type {HTMLElement} */ (plot.parentElement).getBoundingClientRect();
    Object.assign(preview.style, { left: `${event.clientX - left + 14}px`, top: `${event.clientY - top - 70}px` });
  });
  plot.addEventListener("pointerleave", () => {
    preview.hidden = true;
  });
}

/**
 * The marker of the point can be dragged, and moved by the arrow keys.
 *
 * @param {View} view
 * @param {Plot} plot
 * @param {() => Plane | null} planeOf
 * @param {(spot: Spot) => void} go
 */
function marker({ marker: node }, plot, planeOf, go) {
  node.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    node.focus();
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => node.hasPointerCapture(event.pointerId) && go(event));
  node.addEventListener("wheel", (event) => {
    // over the point, too, it zooms
    event.preventDefault();
    plot.querySelector(".nsewdrag")?.dispatchEvent(new WheelEvent("wheel", event));
  });
  node.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const plane = planeOf();
    if (!step || !plane || !point.z || !model.about) return;
    event.preventDefault();
    const by = (event.shiftKey ? 0.5 : 0.1) * model.about.prior_std;
    const to = plane.coordinates(point.z).map((value, k) => value + by * step[k]);
    movePoint(plane.through(point.z, to), "map");
  });
}
