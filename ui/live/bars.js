// KL per latent dimension as bars, in the order of the dimensions so that a bar stays where it is while training.

import { chart } from "./chart.js";
import { feed, show } from "./feed.js";
import { rowAt, showHistory } from "./history.js";

export async function mount({ element, props }) {
  const node = element.querySelector(".live");
  const Plotly = await chart(node, props.value);
  let shown = null;
  const draw = () => {
    const kl = (feed.moment !== null && rowAt(feed.moment)) || feed.kl_per_dim;
    if (kl === shown) return;
    shown = kl;
    Plotly.relayout(node, { "xaxis.dtick": Math.ceil(kl.length / 25) || 1 });
    Plotly.restyle(node, { x: [kl.map((_, j) => String(j))], y: [kl] });
  };
  show(node, draw);
  showHistory(node, draw);
}
