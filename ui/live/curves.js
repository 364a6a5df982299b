// The training curves: one Plotly chart that takes increments, so that zoom and hidden traces survive every update.

import { chart } from "./chart.js";
import { show } from "./feed.js";

const HINT = { text: "The curves of a training appear here.", xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false };

export async function mount({ element, props }) {
  const node = element.querySelector(".live");
  const Plotly = await chart(node, props.value);
  const traces = props.value.data.map((trace) => trace.meta);
  let run = null;
  let drawn = 0;

  // The axes are there from the start, so that the page does not jump; without curves they carry no numbers.
  const bare = (yes) => Plotly.relayout(node, { "xaxis.showticklabels": !yes, "yaxis.showticklabels": !yes, annotations: yes ? [HINT] : [] });

  const clear = () => {
    bare(true);
    const empty = () => traces.map(() => []);
    Plotly.restyle(node, { x: empty(), y: empty() });
    Plotly.relayout(node, { "xaxis.autorange": true, "yaxis.autorange": true });
    drawn = 0;
  };

  show(node, ({ run: now, columns }) => {
    if (now !== run || columns.step.length < drawn) clear();
    run = now;
    const steps = columns.step.slice(drawn);
    if (steps.length === 0) return;
    const x = [];
    const y = [];
    for (const name of traces) {
      const values = columns[name].slice(drawn);
      x.push(steps.filter((_, i) => values[i] !== null));
      y.push(values.filter((value) => value !== null));
    }
    if (drawn === 0) bare(false);
    Plotly.extendTraces(node, { x, y }, traces.map((_, i) => i));
    drawn = columns.step.length;
  });
}
