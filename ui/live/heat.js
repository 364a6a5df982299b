// KL of every latent dimension over the training as a heat map, and above it how many dimensions are in use.

import { chart } from "./chart.js";
import { feed } from "./feed.js";
import { showHistory } from "./history.js";

export async function mount({ element, props }) {
  const node = element.querySelector(".live");
  const Plotly = await chart(node, props.value);
  showHistory(node, ({ steps, kl }) => {
    const dims = kl[0]?.length ?? 0;
    const z = Array.from({ length: dims }, (_, j) => kl.map((row) => row[j]));
    const rows = feed.columns.step.map((_, i) => i).filter((i) => (feed.columns.active_units ?? [])[i] != null);
    Plotly.restyle(node, { z: [z], x: [steps], y: [z.map((_, j) => j)] }, [0]);
    Plotly.restyle(node, { x: [rows.map((i) => feed.columns.step[i])], y: [rows.map((i) => feed.columns.active_units[i])] }, [1]);
    Plotly.relayout(node, { "yaxis.dtick": Math.ceil(dims / 10) || 1, "yaxis2.range": [0, Math.max(1, dims) * 1.05] });
  });
}
