// Plotly, loaded from this server when the first chart is mounted; a chart lives as long as the page.

let library = null;

/** Plotly. */
export function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("library/plotly.min.js", import.meta.url).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("The chart's library could not be loaded."));
    document.head.append(script);
  });
  return library;
}

/** A chart of a figure in a node; it follows the page's size and its light or dark colours. */
export async function chart(node, figure) {
  const Plotly = await plotly();
  const buttons = matchMedia("(hover: hover)").matches ? "hover" : false;
  await Plotly.newPlot(node, figure.data, figure.layout, { responsive: true, displaylogo: false, displayModeBar: buttons });
  await Plotly.relayout(node, colours(node));
  new MutationObserver(() => Plotly.relayout(node, colours(node))).observe(document.body, { attributeFilter: ["class"] });
  return Plotly;
}

function colours(node) {
  const style = getComputedStyle(node);
  const text = style.getPropertyValue("--body-text-color").trim();
  const line = style.getPropertyValue("--border-color-primary").trim();
  const paper = style.getPropertyValue("--background-fill-primary").trim();
  const axes = {};
  for (const axis of ["xaxis", "yaxis"]) {
    Object.assign(axes, { [`${axis}.gridcolor`]: line, [`${axis}.zerolinecolor`]: line, [`${axis}.linecolor`]: line });
  }
  return { "font.color": text, "font.family": style.fontFamily, "hoverlabel.bgcolor": paper, "hoverlabel.font.color": text, ...axes };
}
