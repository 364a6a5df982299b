// The buttons for a hidden part of a drawing, and what the model makes of it.

import { newest } from "../shared/ask.js";
import { nameOf, PIXELS, paintHidden, visibleOf } from "../shared/given.js";
import { base64, bytes, make, paint } from "../shared/page.js";

/** @import { Surface } from "./ink.js" */
/** @import { Tab } from "./tools.js" */

/**
 * @param {Surface} surface
 * @param {Pick<Tab, "say" | "grey" | "complete">} tab
 */
export function completion(surface, { say, grey, complete }) {
  const [before, after, drawn] = Array.from({ length: 3 }, () => make("canvas"));
  const sentence = make("div", { className: "live-sentence" });
  const result = make(
    "div",
    { className: "live-completed", hidden: true },
    figure(before, "With its hidden part"),
    figure(after, "Completed, on average"),
    figure(drawn, "Four single draws"),
    sentence,
  );
  const again = () => {
    surface.remember();
    surface.unhide();
  };
  const node = make(
    "div",
    { className: "live-buttons", hidden: true },
    make("button", { type: "button", textContent: "Complete it", onclick: ask, className: "live-primary" }),
    make("button", { type: "button", textContent: "Show it again", onclick: again }),
  );
  const turn = newest();

  async function ask() {
    const isNewest = turn();
    const hidden = surface.hidden.slice();
    const image = await grey();
    if (!image || !isNewest()) return;
    say("Completing …");
    const hole = { hidden: base64(hidden) };
    const found = await complete({ image: base64(image), ...hole });
    if (!found || !isNewest()) return; // there is another drawing or model, or nothing to complete any more
    say("");
    paint(before, image);
    paintHidden(before, hidden);
    paint(after, bytes(found.completed));
    paint(drawn, bytes(found.drawn), 2, 2);
    sentence.textContent =
      `Completed from the ${visibleOf(hole)} of ${PIXELS} pixels that the model was given. ` +
      `Only these are scored: the meter shows log p(${nameOf(hole)}).`;
    result.hidden = false;
  }

  function changed() {
    node.hidden = !surface.hidden.some((yes) => yes);
    if (node.hidden) clear();
  }

  /** What was completed is of another drawing, or of another model. */
  function clear() {
    turn();
    result.hidden = true;
  }

  return { node, result, changed, clear };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} title
 */
const figure = (canvas, title) => make("figure", {}, canvas, make("figcaption", {}, title));
