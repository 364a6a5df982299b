// KL of every latent dimension over the training as a heat map, and above it how many dimensions are in use.

import { feed, show } from "../shared/feed.js";
import { rootOf } from "../shared/page.js";
import { chart } from "./chart.js";
import { showHistory } from "./history.js";

/** @import { Component, Figure } from "../shared/types.js" */

/**
 * The heat map; its value from Python is the empty figure.
 *
 * @param {Component<Figure>} component
 */
export async function mount({ element, props }) {
  const node = rootOf(element);
  const { Plotly, plot } = await chart(node, props.value);
  showHistory(node, ({ steps, kl }) => {
    const dims = kl[0]?.length ?? 0;
    const z = Array.from({ length: dims }, (_, j) => kl.map((row) => row[j]));
    const { step, active_units: active = [] } = feed.columns;
    const rows = step.map((_, i) => i).filter((i) => active[i] != null);
    Plotly.restyle(plot, { z: [z], x: [steps], y: [z.map((_, j) => j)] }, [0]);
    Plotly.restyle(plot, { x: [rows.map((i) => step[i])], y: [rows.map((i) => active[i])] }, [1]);
    const whole = Math.max(1, dims);
    Plotly.relayout(plot, {
      "yaxis.dtick": Math.ceil(dims / 10) || 1,
      "yaxis2.range": [0, 1.1 * whole],
      "yaxis2.tickvals": [0, whole],
    });
  });

  /** @type {number | null} */
  let moment = null;
  show(node, () => {
    if (feed.moment === moment) return;
    moment = feed.moment;
    const line = {
      type: "line",
      x0: moment,
      x1: moment,
      yref: "paper",
      y0: 0,
      y1: 1,
      line: { width: 1.5, color: "#e8710a" },
    };
    Plotly.relayout(plot, { shapes: moment === null ? [] : [line] });
  });
}
