// The Latents tab: a point of latent space and its picture, and the ways to move it.

import { goToLink } from "../page/address.js";
import { arithmetic } from "./arithmetic.js";
import { between } from "./between.js";
import { show } from "../shared/feed.js";
import { map } from "./map.js";
import { model, onModel, picture, pictureOfServer, refreshModel, useModel } from "../shared/model.js";
import { normal } from "../shared/normal.js";
import { keptDrawing } from "../draw/pad.js";
import * as pad from "../draw/pad.js";
import { answerOf, latest, make, minus, openTab, paint } from "../shared/page.js";
import { movePoint, onPoint, point } from "../shared/point.js";
import { prior } from "./prior.js";
import { sliders } from "./sliders.js";
import { WITHIN } from "../shared/vocabulary.js";

const SOON = 500; // ms between two looks at whether there are other weights

export function mount({ element, props, server, watch }) {
  const view = layout(element.querySelector(".live"));
  const say = (text) => (view.message.textContent = text);
  let shown = null; // the bytes on the screen

  const paintPoint = (grey) => {
    shown = grey;
    paint(view.canvas, grey);
  };
  const askServer = latest(
    async ({ z, id }) => ({ id, grey: await pictureOfServer([z]).catch((error) => error) }),
    ({ id, grey }) => {
      if (id !== model.id) return; // another model has come meanwhile
      if (grey instanceof Error) return void say(grey.message);
      say("");
      paintPoint(grey);
    },
  );
  const decode = () => {
    if (point.z?.length !== model.about?.dims.length) return;
    const grey = picture(point.z);
    if (grey) paintPoint(grey);
    else askServer({ z: point.z, id: model.id });
  };
  onPoint(decode);

  /** Moves the point, but not beyond what the model may be asked for. */
  const move = (z, by = null) => {
    const { prior_mean: mean, prior_std: std } = model.about;
    movePoint(
      z.map((value) => Math.min(mean + WITHIN * std, Math.max(mean - WITHIN * std, value))),
      by,
    );
  };
  const centre = () => move(model.about.dims.map(() => model.about.prior_mean));
  view.centre.onclick = centre;
  view.random.onclick = () =>
    move(model.about.dims.map(() => model.about.prior_mean + model.about.prior_std * normal()));
  view.fromDrawing.onclick = async () => {
    say("");
    const z = await ofImage(keptDrawing(), "There is no drawing yet: draw one in the Draw tab.");
    if (z) move(z);
  };
  view.toPad.onclick = () => {
    if (!shown) return;
    pad.putOnPad(shown);
    openTab("Draw");
  };

  /** The mean of q(z|x) of {ink} or {image}; null, and said why, where it cannot be had. */
  async function ofImage(drawing, otherwise) {
    if (!drawing) return void say(otherwise);
    const answer = await answerOf(server.look({ model: model.id, ...drawing }));
    if (answer.error) return void say(answer.error);
    return answer.z;
  }

  onModel(({ about, error, decoder, ms }, anew) => {
    view.path.textContent = !about
      ? ""
      : decoder
        ? `decoded in this browser, ${ms.toFixed(1)} ms a picture`
        : ms === null
          ? "decoded on the server"
          : `decoded on the server: here a picture takes ${ms.toFixed(0)} ms`;
    for (const button of [view.centre, view.random, view.fromDrawing, view.toPad]) button.disabled = !about;
    if (!about) return void say(error);
    if (anew) {
      say("");
      view.centre.textContent = about.prior_mean === 0 ? "Zero" : `Prior's mean, ${minus(String(about.prior_mean))}`;
      if (point.z?.length !== about.dims.length) centre();
    }
    decode();
  });

  const places = { move, ofImage, say, server };
  sliders(view.sliders);
  map(view.map, places);
  between(view.between, places);
  prior(view.prior, places);
  arithmetic(view.arithmetic, places);
  goToLink(places);

  // A model that is training is decoded anew whenever its weights are.
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

function layout(node) {
  const button = (text, title) => make("button", { type: "button", disabled: true, title }, text);
  const view = {
    canvas: make("canvas", { width: 28, height: 28, className: "live-decoded" }),
    path: make("small", { className: "live-path" }),
    message: make("div", { className: "live-message" }),
    centre: button("Zero", "Move the point to the prior's mean"),
    random: button("Random", "A draw of z from the prior"),
    fromDrawing: button("From my drawing", "The mean of q(z|x) of what is on the Draw tab"),
    toPad: button("To the pad", "Take this picture to the Draw tab"),
    ...Object.fromEntries(["sliders", "map", "between", "prior", "arithmetic"].map((name) => [name, make("div")])),
  };
  view.canvas.setAttribute("aria-label", "The picture of the point");
  view.message.setAttribute("role", "status");
  const section = (title, part, name) =>
    make("section", { className: `live-section live-${name}` }, make("h3", {}, title), part);
  node.append(
    make(
      "div",
      { className: "live-hand" },
      view.canvas,
      view.path,
      make("div", { className: "live-buttons" }, view.centre, view.random, view.fromDrawing, view.toPad),
      view.message,
    ),
    section("Sliders", view.sliders, "sliders"),
    make(
      "div",
      { className: "live-more" },
      section("Map", view.map, "plane"),
      section("Interpolate", view.between, "between"),
      section("Vector arithmetic", view.arithmetic, "arithmetic"),
      section("Draw from the prior", view.prior, "prior"),
    ),
  );
  return view;
}
