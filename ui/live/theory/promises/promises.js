// What training promises, and what it leaves open: six pictures, one at a time, each with its own numbers.

import { tabs } from "../../latents/tabs.js";
import { make } from "../../shared/page.js";
import { Numbers } from "../parts/numbers.js";
import { prose } from "../prose.js";
import { aggregate } from "./aggregate.js";
import { bound } from "./bound.js";
import { collapse } from "./collapse.js";
import { linear } from "./linear.js";
import { rotation } from "./rotation.js";
import { training } from "./training.js";

/** @import { Place } from "../deck.js" */
/** @import { Build, Frame, Picture } from "../frame.js" */
/** @import { Row } from "../parts/numbers.js" */
/**
 * What a part's picture is built with. place: takes it; numbers: the part's own; acted: something was moved.
 *
 * @typedef {{ frame: Frame, component: Place, place: HTMLElement, numbers: Numbers, acted: () => void }} Given
 * @typedef {{
 *   title: string, claim: string, rows: Row[], bars?: boolean, build: (given: Given) => Picture,
 * }} Part
 */

/** @type {Record<string, Part>} */
const PARTS = { training, linear, rotation, bound, aggregate, collapse };

/**
 * @param {Frame} frame
 * @param {Place} component
 * @returns {ReturnType<Build>}
 */
export function build(frame, component) {
  frame.node.classList.add("live-promises");
  /** @type {Map<string, { picture: Picture, numbers: Numbers }>} */
  const built = new Map();
  let now = "";
  const places = Object.fromEntries(Object.keys(PARTS).map((name) => [name, make("div")]));
  const open = (/** @type {string} */ name) => {
    const part = PARTS[name];
    const place = places[name];
    place.append(prose("p", part.claim, "live-part-claim"));
    const numbers = new Numbers(frame, part.rows, { bars: part.bars });
    const picture = part.build({ frame, component, place, numbers, acted: () => frame.done() });
    built.set(name, { picture, numbers });
  };
  const choose = (/** @type {string} */ name) => {
    built.get(now)?.picture.hidden?.();
    now = name;
    if (!built.has(name)) open(name);
    for (const [other, { numbers }] of built) numbers.node.hidden = other !== name;
    frame.refresh();
    frame.say("");
    built.get(name)?.picture.shown?.();
  };
  const list = Object.entries(PARTS).map(([name, { title }]) => ({ name, title, content: places[name] }));
  frame.picture.append(tabs("What training promises", list, "training", choose));
  return {
    shown: () => built.get(now)?.picture.shown?.(),
    hidden: () => built.get(now)?.picture.hidden?.(),
  };
}
