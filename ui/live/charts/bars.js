// KL per latent dimension as bars, in the order of the dimensions so that a bar stays where it is while training.

import { leading, modelOfRun, toSlider } from "../page/leads.js";
import { cells } from "../shared/cells.js";
import { feed, show } from "../shared/feed.js";
import { rootOf } from "../shared/page.js";
import { chart } from "./chart.js";
import { history, rowAt, showHistory } from "./history.js";

/** @import { Component, Figure, Plot } from "../shared/types.js" */

const TICK = 24; // px that the number of a dimension needs

/**
 * The bars; their value from Python is the empty figure.
 *
 * @param {Component<Figure>} component
 */
export async function mount({ element, props }) {
  const node = rootOf(element);
  const { Plotly, plot } = await chart(node, props.value, { modeBarButtonsToRemove: ["select2d", "lasso2d"] });
  leadOn(plot);
  let shown = "";
  const draw = () => {
    const past = feed.moment === null ? undefined : rowAt(feed.moment);
    const kl = past ?? feed.kl_per_dim;
    const now = JSON.stringify([kl, feed.moment, node.clientWidth]);
    node.classList.toggle("live-leads", modelOfRun() !== "");
    if (now === shown) return;
    shown = now;
    const most = [kl, ...history.kl].reduce((top, row) => Math.max(top, ...row), 0);
    Plotly.restyle(plot, { x: [kl.map((_, j) => String(j))], y: [kl] });
    Plotly.relayout(plot, {
      "xaxis.dtick": Math.ceil((kl.length * TICK) / Math.max(1, node.clientWidth - 90)) || 1,
      "xaxis.title.text": past ? `latent dimension, at step ${feed.moment?.toLocaleString("en")}` : "latent dimension",
      ...(past ? { "yaxis.range": [0, 1.05 * most] } : { "yaxis.autorange": true }), // in a replay the scale stays
    });
  };
  show(node, draw);
  showHistory(node, draw);
}

/**
 * Each bar leads to the slider of its dimension.
 *
 * @param {Plot} plot
 */
function leadOn(plot) {
  const count = () => plot.data[0].x?.length ?? 0;
  const area = () => {
    const { xaxis, _size } = plot._fullLayout;
    return { left: xaxis._offset, top: _size.t, width: xaxis._length, height: _size.h };
  };
  const choose = (/** @type {number} */ n) => n >= 0 && n < count() && toSlider(n);
  const box = (/** @type {number} */ n) => {
    const { left, top, width, height } = area();
    const [whole, tall] = [plot.clientWidth, plot.clientHeight];
    const across = width / Math.max(1, count());
    return { left: (left + n * across) / whole, top: top / tall, width: across / whole, height: height / tall };
  };
  const name = (/** @type {number} */ n) => leading(`Open the slider of z${n} in Latents`);
  const go = cells(plot, { count, across: count, box }, { name, choose });
  const under = (/** @type {MouseEvent} */ { clientX }) => {
    const { left, width } = area();
    return Math.floor(((clientX - plot.getBoundingClientRect().left - left) / width) * count());
  };
  plot.addEventListener("pointermove", (event) => count() && go(under(event)));
  plot.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(".draglayer")) choose(under(event));
  });
}
