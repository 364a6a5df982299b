// The latent plane as a picture: what the decoder makes of every place, over it where the test images lie, and the point.

import { chart } from "../charts/chart.js";
import { inSight, show } from "../shared/feed.js";
import { meansOf } from "../shared/means.js";
import { model, onModelAtLeisure, picture, pictures } from "../shared/model.js";
import { keptDrawing } from "../draw/pad.js";
import { answerOf, bytes, make, paint } from "../shared/page.js";
import { plane, unit } from "../shared/plane.js";
import { movePoint, onPoint, point } from "../shared/point.js";

const MOST = 20; // tiles a side
const PATIENCE = 160; // ms of decoding that the tiles may take
const TAP = 10; // px that a finger may move in a tap
const REST = 150; // ms without a move after which the tiles follow
const AROUND = 12; // of q's standard deviations to either side, when it is zoomed to
const SVG_POINTS = 2000; // without WebGL
const COLOURS = [
  "#4e79a7",
  "#f28e2b",
  "#e15759",
  "#76b7b2",
  "#59a14f",
  "#edc948",
  "#b07aa1",
  "#ff9da7",
  "#9c755f",
  "#bab0ac",
];

const TOUCH = matchMedia("(hover: none)").matches;

/** What the address holds of the map: plane (principal, or two dimensions: "3,7") and scale (quantiles or square). */
export const choices = { plane: "", scale: "square" };

/** Puts the map into a node; `places`: ofImage and server of the tab. */
export function map(node, places) {
  const view = layout(node);
  const state = { plane: null, key: "", means: null, Plotly: null, stale: true, seek: false, window: null, builds: 0 }; // seek: whether q is to be zoomed to

  let begun = false;
  const set = () => state.Plotly && model.about && inSight(node) && build(view, state, places);
  for (const control of [view.which, view.first, view.second, view.scale])
    control.onchange = () => {
      read(view);
      state.stale = true;
      set();
    };
  view.tiles.onchange =
    view.points.onchange =
    view.rings.onchange =
      () => {
        state.stale = true;
        set();
      };
  view.truth.onchange = () => {
    Object.assign(state, { stale: true, seek: Boolean(view.truth.value) });
    set();
  };

  onModelAtLeisure(({ about }, anew) => {
    node.parentElement.hidden = Boolean(about) && about.dims.length < 2;
    if (!about) return;
    if (anew) {
      offer(view, about);
    }
    state.stale = true;
    set();
  });
  let timer = 0;
  onPoint(() => {
    mark(view, state);
    clearTimeout(timer);
    timer = setTimeout(() => inSight(node) && tiles(view, state), REST);
  });
  show(
    node,
    () => {
      if (!begun && inSight(node)) {
        begun = true;
        begin(view, state).then((Plotly) => {
          state.Plotly = Plotly;
          set();
        });
      } else if (state.stale) set();
    },
    Infinity,
  );
}

function layout(node) {
  const select = (label, ...options) =>
    make("select", { ariaLabel: label }, ...options.map(([value, text]) => make("option", { value }, text)));
  const tick = (checked) => make("input", { type: "checkbox", checked });
  const view = {
    which: select("Plane"),
    first: select("Across"),
    second: select("Up"),
    scale: select("Scale", ["square", "zoomable square"], ["quantiles", "prior quantiles"]),
    tiles: tick(true),
    points: tick(true),
    rings: tick(false),
    truth: select("q over the exact posterior of", ["", "no image"], ["drawing", "my drawing"]),
    plot: make("div", { className: "live-map-plot" }),
    marker: make("div", { className: "live-marker", tabIndex: 0 }),
    preview: make("canvas", { className: "live-preview", hidden: true }),
    zoom: [
      ["−", 2, "Zoom out"],
      ["+", 0.5, "Zoom in, about the point"],
      ["All", 0, "See all"],
    ].map(([text, factor, ariaLabel]) =>
      Object.assign(make("button", { type: "button", title: ariaLabel, ariaLabel }, text), { factor }),
    ),
    note: make("small", {}),
  };
  view.marker.setAttribute("role", "slider");
  view.marker.setAttribute("aria-label", "The point: arrow keys move it");
  view.choose = make("label", {}, view.first, " × ", view.second);
  view.exact = make("label", {}, "q and exact posterior of ", view.truth);
  node.append(
    make(
      "div",
      { className: "live-controls" },
      make("label", {}, "Plane ", view.which),
      view.choose,
      make("label", {}, "Scale ", view.scale),
      make("label", {}, view.tiles, " pictures"),
      make("label", {}, view.points, " test images"),
      make("label", {}, view.rings, " prior 1, 2, 3 σ"),
      view.exact,
      make("span", {}, ...view.zoom),
    ),
    make("div", { className: "live-map-frame" }, view.plot, view.marker, view.preview),
    view.note,
  );
  return view;
}

/** Fills the choices for a model. */
function offer(view, about) {
  const dims = about.dims.map(({ index }) => index);
  const options = (list) => list.map((j) => make("option", { value: j }, `z${j}`));
  const best = dims.slice(0, 2).sort((a, b) => a - b);
  view.which.replaceChildren(
    make("option", { value: "best" }, dims.length === 2 ? "z0 × z1" : `most informative, z${best[0]} × z${best[1]}`),
    ...(dims.length > 2
      ? [
          make("option", { value: "principal" }, "principal axes of the means"),
          make("option", { value: "chosen" }, "two dimensions"),
        ]
      : []),
  );
  view.first.replaceChildren(...options(dims));
  view.second.replaceChildren(...options(dims));
  const [a, b] = choices.plane.split(",").map(Number);
  const known = choices.plane.includes(",") && a !== b && dims.includes(a) && dims.includes(b);
  [view.first.value, view.second.value] = known ? [a, b] : best;
  view.which.value =
    dims.length === 2 ? "best" : choices.plane === "principal" ? "principal" : known ? "chosen" : "best";
  view.scale.value = choices.scale;
  view.exact.hidden = dims.length !== 2;
  view.truth.replaceChildren(
    view.truth.options[0],
    view.truth.options[1],
    ...about.examples.map(({ label }, n) => make("option", { value: n }, `test digit ${label}`)),
  );
  read(view);
}

function read(view) {
  const { which, first, second, scale, choose } = view;
  choose.hidden = which.value !== "chosen";
  if (which.value === "chosen" && first.value === second.value)
    second.value = [...second.options].map(({ value }) => value).find((value) => value !== first.value);
  choices.plane = { best: "", principal: "principal", chosen: `${first.value},${second.value}` }[which.value];
  choices.scale = scale.value;
  dispatchEvent(new Event("vae-view"));
}

/** An empty chart, which tells of every pointer on it. */
async function begin(view, state) {
  const axis = { showgrid: false, zeroline: false, fixedrange: false, ticks: "outside" };
  const figure = {
    data: [],
    layout: {
      xaxis: { ...axis },
      yaxis: { ...axis },
      margin: { l: 48, r: 6, t: 6, b: 76 },
      dragmode: false,
      hovermode: false,
      showlegend: true,
      legend: {
        orientation: "h",
        x: 0,
        y: -0.12,
        yanchor: "top",
        itemsizing: "constant",
        itemwidth: 30,
        entrywidth: 22,
        font: { size: 12 },
      },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
    },
  };
  const Plotly = await chart(view.plot, figure, { scrollZoom: true, displayModeBar: false, doubleClick: false });
  let timer = 0;
  view.plot.on("plotly_relayout", (change) => {
    mark(view, state);
    if (!Object.keys(change).some((name) => /axis\.(range|autorange)/.test(name))) return;
    clearTimeout(timer);
    timer = setTimeout(() => tiles(view, state), REST);
  });
  view.plot.on("plotly_afterplot", () => mark(view, state));
  const zoom = (factor) => {
    const { xaxis, yaxis } = view.plot._fullLayout;
    const at = state.plane.coordinates(point.z);
    const ranges =
      factor === 0
        ? [0, 1].map(state.plane.whole)
        : [xaxis, yaxis].map(({ range }, k) => range.map((end) => at[k] + factor * (end - at[k])));
    Plotly.relayout(view.plot, { "xaxis.range": ranges[0], "yaxis.range": ranges[1] });
  };
  for (const button of view.zoom) button.onclick = () => zoom(button.factor);
  view.plot.parentElement.addEventListener("dblclick", () => choices.scale === "square" && zoom(0));
  pointers(view, state);
  return Plotly;
}

/** Hovering decodes, pressing and dragging moves the point, as the arrow keys do. */
function pointers(view, state) {
  const axesOf = () => [view.plot._fullLayout.xaxis, view.plot._fullLayout.yaxis];
  const there = ({ clientX, clientY }) => {
    const box = view.plot.getBoundingClientRect();
    const [x, y] = axesOf();
    const [px, py] = [clientX - box.left - x._offset, clientY - box.top - y._offset];
    if (!state.plane || px < 0 || py < 0 || px > x._length || py > y._length) return null;
    return state.plane.through(point.z, [state.plane.at(x.p2d(px), 0), state.plane.at(y.p2d(py), 1)]);
  };
  const go = (event) => {
    const z = there(event);
    if (z) movePoint(z, "map");
  };
  const hover = (event) => {
    const z = event.pointerType === "touch" || event.buttons ? null : there(event);
    const grey = z && picture(z);
    view.preview.hidden = !grey;
    if (!grey) return;
    paint(view.preview, grey);
    const box = view.plot.parentElement.getBoundingClientRect();
    Object.assign(view.preview.style, {
      left: `${event.clientX - box.left + 14}px`,
      top: `${event.clientY - box.top - 70}px`,
    });
  };
  let pressed = false;
  let touched = null; // where a finger or pen came down: a tap moves the point, a swipe scrolls the page
  view.plot.addEventListener(
    "pointerdown",
    (event) => {
      touched = null;
      if (event.button !== 0 || !event.target.closest(".draglayer, .plot-container .gl-container") || !there(event))
        return;
      if (event.pointerType !== "mouse") return void (touched = event);
      pressed = true;
      go(event);
    },
    true,
  );
  addEventListener("pointermove", (event) => pressed && go(event));
  addEventListener("pointerup", (event) => {
    pressed = false;
    if (
      touched?.pointerId === event.pointerId &&
      Math.hypot(event.clientX - touched.clientX, event.clientY - touched.clientY) < TAP
    )
      go(event);
    touched = null;
  });
  addEventListener("pointercancel", () => {
    pressed = false;
    touched = null;
  });
  view.plot.addEventListener("pointermove", hover);
  view.plot.addEventListener("pointerleave", () => {
    view.preview.hidden = true;
  });
  view.marker.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    view.marker.focus();
    view.marker.setPointerCapture(event.pointerId);
  });
  view.marker.addEventListener("pointermove", (event) => view.marker.hasPointerCapture(event.pointerId) && go(event));
  view.marker.addEventListener("wheel", (event) => {
    // over the point, too, it zooms
    event.preventDefault();
    view.plot.querySelector(".nsewdrag")?.dispatchEvent(new WheelEvent("wheel", event));
  });
  view.marker.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!step || !state.plane) return;
    event.preventDefault();
    const by = (event.shiftKey ? 0.5 : 0.1) * model.about.prior_std;
    movePoint(
      state.plane.through(
        point.z,
        state.plane.coordinates(point.z).map((value, k) => value + by * step[k]),
      ),
      "map",
    );
  });
}

/** Lays out axes and traces for the chosen plane, and has the tiles drawn. */
async function build(view, state, places) {
  const { about } = model;
  state.stale = false;
  state.builds += 1;
  const mine = state.builds;
  const means = await meansOf(model.id);
  if (mine !== state.builds) return; // another model or image was chosen meanwhile
  state.means = means;
  const wanted = axesOf(view, about, state.means);
  const same = state.plane && state.key === JSON.stringify([model.id, wanted, choices.scale]);
  state.key = JSON.stringify([model.id, wanted, choices.scale]);
  state.plane = plane(wanted, about.prior_mean, about.prior_std, choices.scale === "quantiles");
  const exact = await truth(view, state, places);
  if (mine !== state.builds) return;
  const traces = [
    ...(view.points.checked ? scatter(state, exact.length ? 0.15 : 0.75) : []),
    ...(view.rings.checked ? rings(state.plane, about) : []),
    ...exact,
  ];
  const layout = { ...view.plot.layout, images: view.tiles.checked ? view.plot.layout.images : [] };
  ["xaxis", "yaxis"].forEach((name, k) => {
    layout[name] = { ...layout[name], ...ticks(state.plane, k, about), title: { text: titles(view)[k], standoff: 4 } };
    if (!same || state.window)
      Object.assign(layout[name], { range: state.window?.[k] ?? state.plane.whole(k), autorange: false });
  });
  state.seek = state.window = null;
  await state.Plotly.react(view.plot, traces, layout);
  view.note.textContent = `${state.means ? `${view.points.checked ? `${state.means.count.toLocaleString("en")} test images of ${state.means.data} at the mean of q(z|x), coloured by label. ` : ""}` : ""}${TOUCH ? "Tap to move the point, or drag it" : "Press or drag to move the point"}${choices.scale === "square" && !TOUCH ? ", turn the wheel to zoom, double-click to see all" : ""}.`;
  for (const button of view.zoom) button.disabled = choices.scale !== "square";
  mark(view, state);
  tiles(view, state);
}

const axesOf = (view, about, means) => {
  const dims = about.dims.length;
  if (view.which.value === "principal" && means?.axes.length) return means.axes;
  return [view.first.value, view.second.value].map((j) => unit(Number(j), dims));
};

const titles = (view) =>
  view.which.value === "principal"
    ? ["first principal axis", "second principal axis"]
    : [`z${view.first.value}`, `z${view.second.value}`];

let gl = null;
const hasWebGL = () => (gl ??= Boolean(document.createElement("canvas").getContext("webgl")));

/** One trace a label; faint where there is something to be seen behind the dots, which WebGL draws over all else. */
function scatter({ means, plane: { axes, drawn } }, opacity) {
  if (!means) return [];
  const count = hasWebGL() ? means.count : Math.min(means.count, SVG_POINTS);
  const traces = Array.from({ length: 10 }, (_, label) => ({
    type: hasWebGL() ? "scattergl" : "scatter",
    mode: "markers",
    name: String(label),
    x: [],
    y: [],
    marker: { size: 3.5, color: COLOURS[label], opacity },
  }));
  for (let n = 0; n < count; n += 1) {
    const mu = means.mu.subarray(n * means.dims, (n + 1) * means.dims);
    axes.forEach((axis, k) => {
      let sum = 0;
      for (let j = 0; j < mu.length; j += 1) sum += axis[j] * mu[j];
      traces[means.labels[n]][k === 0 ? "x" : "y"].push(drawn(sum, k));
    });
  }
  return traces.filter(({ x }) => x.length > 0);
}

/** An ellipse about a place of the plane, drawn as its scale wants it. */
function ellipse({ drawn }, centre, radii, line) {
  const turns = Array.from({ length: 121 }, (_, n) => (2 * Math.PI * n) / 120);
  return {
    type: "scatter",
    mode: "lines",
    showlegend: false,
    line,
    x: turns.map((t) => drawn(centre[0] + radii[0] * Math.cos(t), 0)),
    y: turns.map((t) => drawn(centre[1] + radii[1] * Math.sin(t), 1)),
  };
}

const rings = (where, { prior_std: std }) =>
  [1, 2, 3].map((k) => ellipse(where, where.centres, [k * std, k * std], { color: "#d6478d", width: 2.5 }));

/** q's ellipses at one and two σ over the contours of the exact posterior, of the chosen image of a model with D = 2. */
async function truth(view, state, { ofImage, say, server }) {
  const chosen = view.truth.value;
  if (!chosen || model.about.dims.length !== 2) return [];
  let image = model.about.examples[chosen]?.image;
  if (chosen === "drawing") {
    const kept = keptDrawing();
    const seen = kept
      ? await answerOf(server.look({ model: model.id, ...kept }))
      : { error: "There is no drawing yet: draw one in the Draw tab." };
    if (seen.error) return void say(seen.error) ?? [];
    image = seen.seen;
  }
  const answer = await answerOf(server.posterior({ model: model.id, image }));
  if (answer.error) return void say(answer.error) ?? [];
  const { mu, std, low, high, cells } = answer;
  if (state.seek && choices.scale === "square")
    state.window = mu.map((value) => [value - AROUND * Math.max(...std), value + AROUND * Math.max(...std)]);
  const grey = bytes(answer.density);
  const axis = Array.from({ length: cells }, (_, n) => low + ((high - low) * n) / (cells - 1));
  const density = {
    type: "contour",
    showscale: false,
    showlegend: false,
    x: axis.map((value) => state.plane.drawn(value, 0)),
    y: axis.map((value) => state.plane.drawn(value, 1)),
    z: axis.map((_, row) => axis.map((__, column) => grey[column * cells + row])),
    ncontours: 6,
    contours: { coloring: "lines" },
    line: { width: 1.5 },
    colorscale: [
      [0, "#10a37f"],
      [1, "#10a37f"],
    ],
  };
  return [
    density,
    ...[1, 2].map((k) =>
      ellipse(
        state.plane,
        mu,
        std.map((value) => k * value),
        { color: "#e8710a", width: 2 },
      ),
    ),
  ];
}

/** Ticks at whole standard deviations of the prior where the scale is of probabilities. */
function ticks({ drawn, centres }, k, { prior_std: std }) {
  if (choices.scale !== "quantiles") return { tickmode: "auto", tickvals: null, ticktext: null, fixedrange: false };
  const values = [-2, -1, -0.5, 0, 0.5, 1, 2].map((n) => centres[k] + n * std);
  return {
    tickmode: "array",
    tickvals: values.map((value) => drawn(value, k)),
    ticktext: values.map((value) => String(Number(value.toFixed(2))).replace("-", "−")),
    fixedrange: true,
  };
}

/** Has the pictures of what is in sight drawn, some time later. */
function tiles(view, state) {
  if (!state.plane || !view.tiles.checked || point.z?.length !== model.about?.dims.length) return;
  const count = model.decoder
    ? Math.max(6, Math.min(MOST, Math.floor(Math.sqrt(PATIENCE / Math.max(model.ms, 0.01)))))
    : MOST;
  const ranges = ["xaxis", "yaxis"].map((name) => view.plot._fullLayout[name].range.map(Number));
  const centre = (k, n) => ranges[k][0] + ((n + 0.5) / count) * (ranges[k][1] - ranges[k][0]);
  const points = [];
  for (let row = count - 1; row >= 0; row -= 1) {
    for (let column = 0; column < count; column += 1)
      points.push(
        state.plane.through(point.z, [state.plane.at(centre(0, column), 0), state.plane.at(centre(1, row), 1)]),
      );
  }
  const all = new Uint8Array(784 * points.length);
  pictures(
    "map",
    points,
    (n, grey) => all.set(grey, 784 * n),
    () => {
      const canvas = make("canvas");
      paint(canvas, all, count, count);
      const [[left, right], [bottom, top]] = ranges;
      const image = {
        source: canvas.toDataURL(),
        xref: "x",
        yref: "y",
        x: left,
        y: top,
        sizex: right - left,
        sizey: top - bottom,
        sizing: "stretch",
        layer: "below",
        opacity: view.points.checked ? 0.6 : 1,
      };
      state.Plotly.relayout(view.plot, { images: [image] });
      view.plot.dataset.tiles = Number(view.plot.dataset.tiles ?? 0) + 1;
    },
  );
}

/** Puts the marker at the point. */
function mark(view, state) {
  const { xaxis, yaxis } = view.plot._fullLayout ?? {};
  if (!state.plane || !xaxis || point.z?.length !== model.about?.dims.length) return;
  const [a, b] = state.plane.coordinates(point.z);
  const [x, y] = [
    xaxis._offset + xaxis.d2p(state.plane.drawn(a, 0)),
    yaxis._offset + yaxis.d2p(state.plane.drawn(b, 1)),
  ];
  const [left, top] = [
    [x, xaxis],
    [y, yaxis],
  ].map(([at, { _offset: from, _length: length }]) => Math.min(from + length, Math.max(from, at)));
  view.marker.classList.toggle("live-off", Math.hypot(left - x, top - y) > 1); // outside the picture: at its edge
  Object.assign(view.marker.style, { transform: `translate(${left}px, ${top}px)` });
  view.marker.setAttribute("aria-valuetext", `${a.toFixed(2)}, ${b.toFixed(2)}`);
}
