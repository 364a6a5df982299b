// One slider for each latent dimension, the most informative first, each with its KL, the prior's density and a strip
// of what it does. The first six are shown; the others that are used are folded away, and so are the unused ones.

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
const FIRST = 6; // sliders that are shown at first
const REST = 120; // ms without a move after which the strips follow
const NOTHING =
  "Every dimension is unused: the encoder says next to nothing, and the decoder has learned not to listen.";

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
    for (const row of rows) row.strip(view.strips.checked && !row.node.closest("details:not([open])"));
  };
  const soon = debounced(drawStrips, REST);
  view.strips.onchange = drawStrips;
  for (const fold of [view.more, view.asleep]) fold.node.ontoggle = drawStrips;

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
  const view = {
    first: make("div", { className: "live-list" }),
    nothing: make("p", { hidden: true }, NOTHING),
    more: fold("live-more"),
    asleep: fold("live-asleep"),
    strips: make("input", { type: "checkbox", checked: true }),
  };
  node.append(
    make("label", { className: "live-check" }, view.strips, "show what each slider does"),
    view.first,
    view.nothing,
    view.more.node,
    view.asleep.node,
  );
  return view;
}

/**
 * Sliders that are folded away; a fold stays as it is while the page is open.
 *
 * @param {string} className
 */
function fold(className) {
  const [summary, list] = [make("summary"), make("div", { className: "live-list" })];
  const node = make("details", { className: `live-fold ${className}` }, summary, list);
  const fill = (/** @type {Slider[]} */ rows, /** @type {string} */ what) => {
    list.replaceChildren(...rows.map((row) => row.node));
    summary.textContent = `${rows.length} ${what}`;
    node.hidden = rows.length === 0;
  };
  return { node, summary, fill };
}

/**
 * Lays out the sliders of a model.
 *
 * @param {View} view
 * @param {Slider[]} rows
 */
function fill({ first, more, asleep, nothing }, rows) {
  const used = rows.filter((row) => !row.asleep);
  first.replaceChildren(...used.slice(0, FIRST).map((row) => row.node));
  more.fill(used.slice(FIRST), "more");
  asleep.fill(
    rows.filter((row) => row.asleep),
    "unused",
  );
  asleep.summary.title = `Dimensions whose KL is below ${ASLEEP} nats: the encoder says nothing through them.`;
  nothing.hidden = rows.length === 0 || used.length > 0;
  asleep.node.open = !nothing.hidden;
}
