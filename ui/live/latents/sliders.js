// One slider for each latent dimension, the most informative first, each with its KL, the prior's density and a strip
// of what it does. Those that carry nothing are folded away.

import { debounced } from "../shared/ask.js";
import { show } from "../shared/feed.js";
import { model, onModel, onModelAtLeisure } from "../shared/model.js";
import { make } from "../shared/page.js";
import { ASLEEP } from "../shared/vocabulary.js";
import { onPoint, point } from "../space/point.js";
import { section } from "./section.js";
import { Slider } from "./slider.js";

/** @import { Place } from "../shared/types.js" */
/** @typedef {ReturnType<typeof layout>} View */

const SOON = 500; // ms between two looks at the KLs of a model that is training
const REST = 120; // ms without a move after which the strips follow
const NOTHING =
  "Every dimension is asleep: the encoder says next to nothing, and the decoder has learned not to listen.";

/**
 * The sliders.
 *
 * @param {Pick<Place, "say">} place
 */
export function sliders({ say }) {
  const content = make("div");
  const view = layout(content);
  /** @type {Slider[]} */
  let rows = [];

  const drawStrips = () => {
    for (const row of rows) row.strip(view.strips.checked && (view.folded.open || !row.asleep));
  };
  const soon = debounced(drawStrips, REST);
  view.strips.onchange = drawStrips;
  view.folded.ontoggle = drawStrips;

  onModel(({ about }, isOther) => {
    if (!isOther) return;
    rows = about ? about.dims.map((dim) => new Slider(dim, about, say)) : [];
    fill(view, rows);
    const { z } = point;
    if (z?.length === rows.length) for (const row of rows) row.show(z[row.index]);
  });
  onModelAtLeisure(() => soon());
  // While the model trains, its KLs follow; the order stays, so that nothing moves under the hand.
  show(
    content,
    ({ run, kl_per_dim: kl }) => {
      if (run === model.id && kl.length === rows.length) for (const row of rows) row.inform(kl[row.index]);
    },
    SOON,
  );
  onPoint(({ z, by }) => {
    if (z.length === rows.length) for (const row of rows) if (row !== by) row.show(z[row.index]);
    soon();
  });
  return { node: section("Sliders", "sliders", content) };
}

/** @param {HTMLElement} node */
function layout(node) {
  const asleep = make("div", { className: "live-list" });
  const summary = make("summary");
  const view = {
    awake: make("div", { className: "live-list" }),
    asleep,
    summary,
    nothing: make("p", { hidden: true }, NOTHING),
    folded: make("details", { className: "live-asleep" }, summary, asleep),
    strips: make("input", { type: "checkbox", checked: true }),
  };
  node.append(
    make("label", { className: "live-check" }, view.strips, "what each does, along its slider"),
    view.awake,
    view.nothing,
    view.folded,
  );
  return view;
}

/**
 * Lays out the sliders of a model.
 *
 * @param {View} view
 * @param {Slider[]} rows
 */
function fill({ awake, asleep, summary, folded, nothing }, rows) {
  const sleeping = rows.filter((row) => row.asleep);
  awake.replaceChildren(...rows.filter((row) => !row.asleep).map((row) => row.node));
  asleep.replaceChildren(...sleeping.map((row) => row.node));
  summary.textContent = `asleep: ${sleeping.length}`;
  summary.title = `Dimensions whose KL is below ${ASLEEP} nats: the encoder says nothing through them.`;
  folded.hidden = sleeping.length === 0;
  nothing.hidden = sleeping.length === 0 || sleeping.length < rows.length;
  folded.open = !nothing.hidden;
}
