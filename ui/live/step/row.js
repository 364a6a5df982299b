// The images of a batch in a row: x and what its first draw decodes to, q(z|x), and what it costs; one can be chosen.

import { make, nats, paint } from "../shared/page.js";
import { svg } from "../shared/svg.js";
import { codeOf, VIEW } from "./codes.js";

/** @import { Image } from "./images.js" */

const LISTED = 4; // terms of draws that are written out; of more of them the largest and the smallest
/** @type {Record<string, number>} */
const WAYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/**
 * Figures, the first of them chosen.
 *
 * @param {Image[]} images
 * @param {(image: Image) => void} chosen
 */
export function figuresOf(images, chosen) {
  const buttons = images.map((image, n) =>
    make(
      "button",
      { type: "button", className: "live-image", ariaLabel: `Image ${n + 1}`, onclick: () => choose(n) },
      picture(image.x, "x"),
      picture(image.made[0], "decoded"),
      codeOf(image.q, image.draws, image.reach),
    ),
  );
  const choose = (/** @type {number} */ n) => {
    for (const [i, it] of buttons.entries()) it.ariaPressed = String(i === n);
    chosen(images[n]);
  };
  for (const [n, it] of buttons.entries())
    it.onkeydown = (event) => {
      const next = n + (WAYS[event.key] ?? 0);
      if (next === n || !buttons[next]) return;
      event.preventDefault();
      buttons[next].focus();
      choose(next);
    };
  choose(0);
  return images.map((image, n) => make("figure", {}, buttons[n], caption(image)));
}

/**
 * @param {Uint8Array} grey
 * @param {string} title
 */
function picture(grey, title) {
  const canvas = make("canvas", { title });
  paint(canvas, grey);
  return canvas;
}

/**
 * log p(x|z) of the draws, their mean where there are several, and the KL.
 *
 * @param {Image} image
 */
function caption({ terms, reconstruction: mean, kl }) {
  const line = (/** @type {string} */ title, /** @type {string} */ text) => make("div", { title }, text);
  const last = line("KL of q(z|x) from the prior", `− ${nats(kl)}`);
  if (terms.length === 1) return make("figcaption", {}, line("log p(x|z) of this z", nats(mean)), last);
  const all = terms.map(nats).join(", ");
  const each =
    terms.length <= LISTED
      ? terms.map((term, l) => line(`log p(x|z) of draw ${l + 1}`, nats(term)))
      : [line(all, `${nats(Math.min(...terms))} to`), line(all, nats(Math.max(...terms)))];
  const average = line("their mean over all draws", nats(mean));
  average.className = "live-mean";
  return make("figcaption", {}, ticks(terms, mean), ...each, average, last);
}

/**
 * The terms of the draws along a line, and their mean.
 *
 * @param {number[]} terms
 * @param {number} mean
 */
function ticks(terms, mean) {
  const [low, high] = [Math.min(...terms), Math.max(...terms)];
  const at = (/** @type {number} */ value) => 4 + ((value - low) / (high - low || 1)) * (VIEW - 8);
  const tick = (/** @type {number} */ value, /** @type {string} */ kind, /** @type {number} */ half) =>
    svg("line", { x1: at(value), x2: at(value), y1: 8 - half, y2: 8 + half, class: kind });
  const known = terms.filter(Number.isFinite);
  return svg(
    "svg",
    { viewBox: `0 0 ${VIEW} 16`, class: "live-terms-of-draws" },
    ...known.map((term) => tick(term, "live-term", 4)),
    ...(Number.isFinite(mean) ? [tick(Math.min(high, Math.max(low, mean)), "live-mean", 8)] : []),
  );
}
