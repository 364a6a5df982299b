// KL per latent dimension as bars, in the order of the dimensions so that a bar stays where it is while training.

import { feed, show } from "../shared/feed.js";
import { rootOf } from "../shared/page.js";
import { chart } from "./chart.js";
import { history, rowAt, showHistory } from "./history.js";

/** @import { Component, Figure } from "../shared/types.js" */

const TICK = 24; // px that the number of a dimension needs

/**
 * The bars; their value from Python is the empty figure.
 *
 * @param {Component<Figure>} component
 */
export async function mount({ element, props }) {
  const node = rootOf(element);
  const { Plotly, plot } = await chart(node, props.value);
  let shown = "";
  const draw = () => {
    const past = feed.moment === null ? undefined : rowAt(feed.moment);
    const kl = past ?? feed.kl_per_dim;
    const now = JSON.stringify([kl, feed.moment, node.clientWidth]);
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
