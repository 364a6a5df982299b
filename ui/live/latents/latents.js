// The Latents tab: a point of latent space and its picture, and the ways to move it.

import { keptDrawing, putOnPad } from "../draw/kept.js";
import { choices } from "../map/choices.js";
import { map } from "../map/map.js";
import { goToLink } from "../page/address.js";
import { answerOf, failed, oneAtATime } from "../shared/ask.js";
import { show } from "../shared/feed.js";
import { model, onModel, picture, pictureOfServer, refreshModel, useModel } from "../shared/model.js";
import { make, openTab, paint, rootOf } from "../shared/page.js";
import { normal } from "../space/normal.js";
import { movePoint, onPoint, point, START } from "../space/point.js";
import { arithmetic } from "./arithmetic.js";
import { between } from "./between.js";
import { prior } from "./prior.js";
import { sliders } from "./sliders.js";
import { tabs } from "./tabs.js";

/** @import { Component, Description, Drawing, Place, Z } from "../shared/types.js" */
/** @import { Model } from "../shared/model.js" */
/** @typedef {ReturnType<typeof layout>} View */

const SOON = 500; // ms between two looks at whether there are other weights
const NO_DRAWING = "There is no drawing yet: draw one in the Draw tab.";

/**
 * The Latents tab; its value says which model decodes.
 *
 * @param {Component<{ model: string }, "decode" | "describe" | "look" | "neighbours" | "truth">} component
 */
export function mount({ element, props, server, watch }) {
  const node = rootOf(element);
  const view = layout(node);
  /** @type {Place} */
  const place = { ofImage, server, say: (text) => say(view, text) };
  const screen = new Screen(view);
  onPoint(() => screen.decode());
  buttons(view, screen, place);

  /**
   * The mean of q(z|x) of a drawing; null, after saying why, where it cannot be had.
   *
   * @type {Place["ofImage"]}
   */
  async function ofImage(drawing, otherwise = "") {
    const answer = drawing ? await answerOf(server.look({ model: model.id, ...drawing })) : { error: otherwise };
    if (!failed(answer)) return answer.z;
    say(view, answer.error);
    return null;
  }

  onModel((used, isOther) => {
    tell(view, used, isOther);
    if (!used.about) return;
    if (isOther && (point.z?.length !== used.about.dims.length || point.by === START)) toStart(used.about);
    screen.decode();
  });
  node.append(sliders(place).node, map(place).node, ways(place));
  goToLink(place);

  // A model that is training is decoded again whenever it has other weights.
  /** @type {string | null} */
  let version = null;
  show(
    element,
    ({ run, newest }) => {
      if (run !== model.id || !newest || newest === version) return;
      version = newest;
      refreshModel();
    },
    SOON,
  );
  watch("value", () => useModel(props.value.model, server));
  useModel(props.value.model, server);
}

/**
 * The ways to move the point further than by hand, one of them shown at a time.
 *
 * @param {Place} place
 */
function ways(place) {
  const parts = [
    { name: "interpolate", title: "Interpolate", content: between(place) },
    { name: "arithmetic", title: "Arithmetic", content: arithmetic(place) },
    { name: "prior", title: "Prior", content: prior(place) },
  ];
  return tabs("Ways to move the point", parts, choices.way, (name, at) => {
    choices.way = at ? name : "";
    dispatchEvent(new Event("vae-view"));
  });
}

/** The picture of the point. */
class Screen {
  /** @type {Uint8Array | null} */
  shown = null;

  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.ask = oneAtATime(
      async (/** @type {{ z: Z, id: string }} */ { z, id }) => ({
        id,
        grey: await pictureOfServer([z]).catch((/** @type {Error} */ error) => error),
      }),
      (answer) => {
        if (failed(answer) || answer.id !== model.id) return; // another model has come meanwhile
        const { grey } = answer;
        say(view, grey instanceof Error ? grey.message : "");
        if (!(grey instanceof Error)) this.#paint(grey);
      },
    );
  }

  /** Decodes the point, in this browser or on the server. */
  decode() {
    const { z } = point;
    if (!z || z.length !== model.about?.dims.length) return;
    const grey = picture(z);
    if (grey) this.#paint(grey);
    else this.ask({ z, id: model.id });
  }

  /** @param {Uint8Array} grey */
  #paint(grey) {
    this.shown = grey;
    paint(this.view.canvas, grey);
  }
}

/**
 * @param {View} view
 * @param {string} text
 */
function say(view, text) {
  view.message.textContent = text;
}

/**
 * The prior's mean.
 *
 * @param {Description} about
 */
const centre = ({ dims, prior_mean: mean }) => dims.map(() => mean);

/**
 * Puts the point where the tab opens with a model: at the mean of q(z|x) of a test image, since the centre of the prior
 * decodes to no digit.
 *
 * @param {Description} about
 */
const toStart = (about) => movePoint(about.examples.find(({ mu }) => mu)?.mu ?? centre(about), START);

/**
 * What the buttons do.
 *
 * @param {View} view
 * @param {Screen} screen
 * @param {Place} place
 */
function buttons(view, screen, { ofImage }) {
  view.centre.onclick = () => model.about && movePoint(centre(model.about));
  view.random.onclick = () => {
    const { about } = model;
    if (about) movePoint(about.dims.map(() => about.prior_mean + about.prior_std * normal()));
  };
  view.fromDrawing.onclick = async () => {
    say(view, "");
    const z = await ofImage(keptDrawing(), NO_DRAWING);
    if (z) movePoint(z);
  };
  view.toPad.onclick = () => {
    if (!screen.shown) return;
    putOnPad(screen.shown);
    openTab("draw");
  };
}

/**
 * Says of a model where it is decoded, or why there is none.
 *
 * @param {View} view
 * @param {Model} used
 * @param {boolean} isOther
 */
function tell(view, { about, error, decoder, ms }, isOther) {
  view.path.textContent = about ? path(Boolean(decoder), ms) : "";
  for (const button of [view.centre, view.random, view.fromDrawing, view.toPad]) button.disabled = !about;
  if (!about) {
    say(view, error);
  } else if (isOther) {
    say(view, "");
  }
}

/**
 * @param {boolean} here
 * @param {number | null} ms that a picture takes here
 */
function path(here, ms) {
  if (ms === null) return "decoded on the server";
  if (here) return `decoded in this browser, ${ms.toFixed(1)} ms a picture`;
  return `decoded on the server: here a picture takes ${ms.toFixed(0)} ms`;
}

/** @param {HTMLElement} node */
function layout(node) {
  const button = (/** @type {string} */ text, /** @type {string} */ title) =>
    make("button", { type: "button", disabled: true, title }, text);
  const view = {
    canvas: make("canvas", { width: 28, height: 28, className: "live-decoded" }),
    path: make("small", { className: "live-path" }),
    message: make("div", { className: "live-message" }),
    centre: button("Centre of the prior", "Move the point to the prior's mean"),
    random: button("Random draw", "A draw of z from the prior"),
    fromDrawing: button("My drawing", "The mean of q(z|x) of what is on the Draw tab"),
    toPad: button("Draw on it", "Take this picture to the Draw tab"),
  };
  view.canvas.setAttribute("aria-label", "The picture of the point");
  view.message.setAttribute("role", "status");
  const buttonsOf = [view.centre, view.random, view.fromDrawing, view.toPad];
  node.append(
    make(
      "div",
      { className: "live-hand" },
      view.canvas,
      view.path,
      make("div", { className: "live-buttons" }, ...buttonsOf),
      view.message,
    ),
  );
  return view;
}
