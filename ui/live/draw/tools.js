// What can be done to a drawing: tools, where to start from, noise, and a hidden part that the model completes.

import { bytes, make, paint } from "../shared/page.js";
import { completion } from "./completion.js";
import { noisy, random } from "./noise.js";
import { photograph } from "./photograph.js";

/** @import { Completed, Description } from "../shared/types.js" */
/** @import { Surface } from "./ink.js" */

/**
 * drawn(resting): the surface has another drawing; cleared(): clear it; grey(): the drawing as it is now in MNIST's
 * format, or null after saying why not; complete(request): an answer of the server, or null after saying why not.
 *
 * @typedef {{
 *   drawn: (resting?: boolean) => void,
 *   cleared: () => void,
 *   say: (text: string) => void,
 *   grey: () => Promise<Uint8Array | null>,
 *   complete: (request: { image: string, hidden: string }) => Promise<Completed | null>,
 * }} Tab
 */

/** @type {[Surface["tool"], string][]} */
const TOOLS = [
  ["draw", "Draw"],
  ["erase", "Erase"],
  ["hide", "Hide a part"],
];

/**
 * The tools of a surface.
 *
 * @param {Surface} surface
 * @param {Tab} tab
 */
export function tools(surface, tab) {
  const hole = completion(surface, tab);
  const noise = noisy(surface, tab);
  const width = make("input", { type: "range", min: 6, max: 50, value: surface.width });
  width.oninput = () => {
    surface.width = Number(width.value);
  };
  const clear = () => {
    noise.clear();
    tab.cleared();
  };
  const chosen = make(
    "div",
    { className: "live-buttons", role: "group", ariaLabel: "Tools" },
    ...kinds(surface, tab),
    button("Undo", () => surface.undo()),
    button("Clear", clear),
  );
  const bar = make(
    "div",
    { className: "live-tools" },
    chosen,
    make("label", {}, "Stroke", width),
    noise.node,
    hole.node,
  );

  /** @param {Uint8Array} grey put on the surface, for good */
  const begin = (grey) => {
    noise.clear();
    surface.remember();
    surface.place(grey);
    tab.drawn();
  };
  const start = beginning(surface, begin, tab.say);

  return {
    bar,
    start: start.node,
    completed: hole.result,
    offer: start.show,
    stroked() {
      noise.clear();
      hole.clear();
    },
    hid: hole.changed,
    clear: hole.clear,
  };
}

/**
 * The buttons that choose what a stroke does.
 *
 * @param {Surface} surface
 * @param {Tab} tab
 */
function kinds(surface, { drawn, grey }) {
  /** What a hidden part needs: the image itself on the surface, pixel by pixel. */
  const framed = async () => {
    if (surface.framed) return true;
    const image = await grey();
    if (!image) return false;
    surface.remember();
    surface.place(image);
    drawn();
    return true;
  };
  let picked = surface.tool;
  const nodes = TOOLS.map(([kind, text]) => {
    const node = button(text, async () => {
      const before = picked;
      picked = kind;
      if (kind === "hide" && !(await framed())) {
        picked = before;
        return;
      }
      if (picked !== kind) return; // another one was picked meanwhile
      surface.tool = kind;
      for (const it of nodes) it.ariaPressed = String(it === node);
    });
    node.ariaPressed = String(kind === surface.tool);
    return node;
  });
  return nodes;
}

/**
 * What a drawing can start from: a test digit, noise or a photograph.
 *
 * @param {Surface} surface
 * @param {(grey: Uint8Array) => void} begin
 * @param {(text: string) => void} say
 */
function beginning(surface, begin, say) {
  const from = make("div");
  const examples = make("div", { className: "live-examples" });
  const noise = button("Noise", () => begin(random()));
  const others = make("div", { className: "live-buttons" }, noise, photograph(surface.node, begin, say));
  const node = make("div", { className: "live-start" }, from, examples, others);
  const show = (/** @type {Description} */ about) => {
    from.textContent = `Or start from a test digit (${about.examples_from}), noise or a photograph:`;
    examples.replaceChildren(...about.examples.map(({ label, image }) => example(label, bytes(image), begin)));
  };
  return { node, show };
}

/**
 * @param {string} textContent
 * @param {() => void} onclick
 */
const button = (textContent, onclick) => make("button", { type: "button", textContent, onclick });

/**
 * @param {number} label
 * @param {Uint8Array} image
 * @param {(grey: Uint8Array) => void} begin
 */
function example(label, image, begin) {
  const canvas = make("canvas", { title: `a test image of label ${label}` });
  paint(canvas, image);
  const node = make("button", { type: "button", onclick: () => begin(image) }, canvas);
  node.setAttribute("aria-label", `Start from a ${label}`);
  return node;
}
