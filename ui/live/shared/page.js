// What several components need: elements, pictures of 28×28 bytes, and numbers for people.

import { IMAGE_SIDE as SIDE } from "./vocabulary.js";

export { SIDE };

const HELD = 10_000; // ms until a browser has taken a file

/**
 * Properties of an element; those that hold text take numbers too.
 *
 * @template E
 * @typedef {{ [K in keyof E]?: E[K] extends string ? string | number : E[K] }} Properties
 */

/**
 * An element with properties and children: make("button", { className: "x", onclick }, "text", child).
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Properties<HTMLElementTagNameMap[T]>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, properties, ...children) {
  const node = document.createElement(tag);
  if (tag === "output") node.ariaLive = "off"; // else a screen reader reads out every number that goes by
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

/**
 * The node of a component, in which it builds its elements.
 *
 * @param {HTMLElement} element
 * @returns {HTMLElement}
 */
export const rootOf = (element) => /** @type {HTMLElement} */ (element.querySelector(".live"));

/**
 * What draws on a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export const penOf = (canvas, settings) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));

/** A scale's two ends, and the node that shows them. */
export function scaleEnds() {
  const [low, high] = [make("span"), make("span")];
  return { low, high, node: make("div", { className: "live-scale" }, low, high) };
}

/**
 * The bytes of base64 text.
 *
 * @param {string} text
 */
export const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/**
 * Base64 text of bytes.
 *
 * @param {Uint8Array} array
 */
export const base64 = (array) => btoa(String.fromCharCode(...array));

/**
 * Paints columns × rows images of 28×28 grey bytes, white ink on black as in MNIST.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} grey
 */
export function paint(canvas, grey, columns = 1, rows = 1) {
  [canvas.width, canvas.height] = [columns * SIDE, rows * SIDE];
  const pen = penOf(canvas);
  for (let n = 0; n * SIDE * SIDE < grey.length; n += 1) {
    const image = pen.createImageData(SIDE, SIDE);
    for (let p = 0; p < SIDE * SIDE; p += 1) {
      const value = grey[n * SIDE * SIDE + p];
      image.data.set([value, value, value, 255], 4 * p);
    }
    pen.putImageData(image, (n % columns) * SIDE, Math.floor(n / columns) * SIDE);
  }
}

/**
 * A number of nats for people.
 *
 * @param {number | null | undefined} value
 */
export const nats = (value) => (value === null || value === undefined ? "not finite" : minus(value.toFixed(1)));

/**
 * A formatted number with a real minus sign, as wide as a plus; what is rounded to 0 has none.
 *
 * @param {string} text
 */
export const minus = (text) => text.replace(/-(?=0(\.0*)?(?![.\d]))/, "").replace("-", "−");

/**
 * A number of things: 1 dimension, 2 dimensions.
 *
 * @param {number} number
 * @param {string} what
 */
export const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

/**
 * The address of a file of this server: relative to the page, so that it also holds behind a proxy's prefix.
 *
 * @param {string} path
 */
export const addressOf = (path) => new URL(path, location.origin + location.pathname.replace(/\/?$/, "/"));

/**
 * Gives a file to the browser's downloads.
 *
 * @param {Blob} file
 * @param {string} name
 */
export function save(file, name) {
  const href = URL.createObjectURL(file);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), HELD);
}

/**
 * The button of a tab of the page, found by its id: what is written on it may be translated.
 *
 * @param {string} which of the tabs, as a selector
 * @returns {HTMLElement | null}
 */
const tabButton = (which) => document.querySelector(`[role="tab"][data-tab-id]${which}`);

/** The id of the tab that is shown; undefined before there is one. */
export const shownTab = () => tabButton('[aria-selected="true"]')?.dataset.tabId;

/**
 * Shows another tab of the page.
 *
 * @param {string} id
 */
export const openTab = (id) => tabButton(`[data-tab-id="${CSS.escape(id)}"]`)?.click();

/** Whether the visitor wants nothing to move by itself: what would play then jumps to its end. */
export const wantsStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Seconds for people.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  return s < 3600
    ? `${Math.floor(s / 60)} min ${s % 60} s`
    : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/**
 * A number of bytes for people.
 *
 * @param {number} count
 */
export const bytesOf = (count) => (count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`);
