// The latent plane as a picture: what the decoder makes of every place, and over it the test images and the point.

import { chart } from "../charts/chart.js";
import { keptDrawing } from "../draw/kept.js";
import { exactPosterior } from "../exact/exact.js";
import { section } from "../latents/section.js";
import { answerOf, debounced, failed, newest } from "../shared/ask.js";
import { inSight, show } from "../shared/feed.js";
import { model, onModelAtLeisure, pictures } from "../shared/model.js";
import { make, paint } from "../shared/page.js";
import { meansOf } from "../space/means.js";
import { plane, unit, zoomed } from "../space/plane.js";
import { onPoint, point } from "../space/point.js";
import { word } from "../words/word.js";
import { choices } from "./choices.js";
import { layout, offer, read } from "./controls.js";
import { pointers } from "./pointers.js";
import { overlay, rings, scatter, ticks } from "./traces.js";

/**
 * @import { Plane } from "../space/plane.js"
 * @import { Description, PosteriorAndQ, Layout, Means, Place, Plot, Plotly, Trace } from "../shared/types.js"
 */

const MOST = 20; // tiles a side
const LEAST = 6; // tiles a side
const PATIENCE = 160; // ms of decoding that the tiles may take
const REST = 150; // ms without a move after which the tiles follow
const TOUCH = matchMedia("(hover: none)").matches;
const AXES = /** @type {const} */ (["xaxis", "yaxis"]);

/**
 * The map.
 *
 * @param {Place} place
 */
export function map(place) {
  const it = new LatentMap(place);
  onModelAtLeisure(({ about }, isOther) => it.offer(about, isOther));
  onPoint(() => it.follow());
  show(it.content, () => it.show(), Infinity);
  return it;
}

class LatentMap {
  /** @type {Plane | null} */
  #plane = null;
  #key = ""; // says which plane it is
  /** @type {Means | null} */
  #means = null;
  /** @type {{ Plotly: Plotly, plot: Plot } | null} */
  #chart = null;
  #begun = false;
  #stale = true;
  #isFirst = true; // whether what the link zooms to is still to be shown
  #seek = false; // whether q is to be zoomed to
  #turn = newest(); // of what is built
  #rest = debounced(() => inSight(this.content) && this.#tiles(), REST);

  /** @param {Place} place */
  constructor(place) {
    this.place = place;
    this.content = make("div");
    this.node = section(word("latent_map", "Map"), "plane", this.content);
    this.view = layout(this.content);
    const { which, first, second, scale, tiles, points, rings: circles, truth } = this.view;
    for (const control of [which, first, second, scale])
      control.onchange = () => {
        read(this.view);
        this.#change();
      };
    for (const control of [tiles, points, circles]) control.onchange = () => this.#change();
    truth.onchange = () => {
      this.#seek = Boolean(truth.value);
      this.#change();
    };
  }

  /**
   * Offers the choices of a model, or shows its new weights.
   *
   * @param {Description | null} about
   * @param {boolean} isOther
   */
  offer(about, isOther) {
    this.node.hidden = about !== null && about.dims.length < 2;
    if (!about) return;
    if (isOther) offer(this.view, about);
    this.#change();
  }

  /** The point has moved. */
  follow() {
    this.#mark();
    this.#rest();
  }

  /** It has come into sight. */
  show() {
    if (this.#begun) {
      if (this.#stale) this.#update();
      return;
    }
    this.#begun = true;
    this.#begin().then(
      () => this.#update(),
      (error) => {
        this.view.note.textContent = `The map could not be shown: reload the page. ${error.cause ?? ""}`;
        throw error;
      },
    );
  }

  #change() {
    this.#stale = true;
    this.#update();
  }

  #update() {
    if (this.#chart && model.about && inSight(this.content)) this.#build(this.#chart, model.about);
  }

  /** An empty chart, which tells of every pointer on it. */
  async #begin() {
    const { view } = this;
    const config = { scrollZoom: true, displayModeBar: false, doubleClick: false };
    const made = await chart(view.place, { data: [], layout: emptyLayout() }, config);
    const { plot } = made;
    this.#chart = made;
    const tiles = debounced(() => this.#tiles(), REST);
    plot.on("plotly_relayout", (change) => {
      this.#mark();
      if (!Object.keys(change).some((name) => /axis\.(range|autorange)/.test(name))) return;
      this.#keepZoom(plot);
      tiles();
    });
    plot.on("plotly_afterplot", () => this.#mark());
    for (const { node, factor } of view.zoom) node.onclick = () => this.#zoom(made, factor);
    plot.parentElement?.addEventListener("dblclick", () => {
      if (choices.scale === "square") this.#zoom(made, 0);
    });
    pointers(view, plot, () => this.#plane);
  }

  /**
   * Zooms about the point, or about the middle of what is shown where the point is out of sight.
   *
   * @param {{ Plotly: Plotly, plot: Plot }} chart
   * @param {number} factor 0 to see all
   */
  #zoom({ Plotly, plot }, factor) {
    const where = this.#plane;
    if (!where || !point.z) return;
    const ranges = AXES.map((name) => plot._fullLayout[name].range);
    const [x, y] = factor === 0 ? [0, 1].map(where.whole) : zoomed(ranges, where.coordinates(point.z), factor);
    Plotly.relayout(plot, { "xaxis.range": x, "yaxis.range": y });
  }

  /**
   * Lays out axes and traces for the chosen plane, and has the tiles drawn.
   *
   * @param {{ Plotly: Plotly, plot: Plot }} chart
   * @param {Description} about
   */
  async #build({ Plotly, plot }, about) {
    const { view } = this;
    this.#stale = false;
    const isNewest = this.#turn();
    const answer = await meansOf(model.id);
    if (!isNewest()) return; // another model or image was chosen meanwhile
    if (failed(answer)) this.place.say(answer.error);
    const means = failed(answer) ? null : answer;
    this.#means = means;
    const axes = this.#axes(about);
    const key = JSON.stringify([model.id, axes, choices.scale]);
    const stays = this.#key === key && !this.#showsAll(plot); // what was zoomed to; of all, there may be more now
    this.#key = key;
    const { prior_mean: mean, prior_std: std } = about;
    const where = plane(axes, mean, std, choices.scale === "quantiles", this.#reach(about));
    this.#plane = where;
    const posterior = await this.#posterior(about);
    if (!isNewest()) return;
    /** @type {Trace[]} */
    const traces = [
      ...(view.points.checked && means ? scatter(means, where, posterior ? 0.15 : 0.75) : []),
      ...(view.rings.checked ? rings(where, about) : []),
      ...(posterior ? overlay(where, posterior) : []),
    ];
    const linked = this.#isFirst && choices.zoom ? [choices.zoom.slice(0, 2), choices.zoom.slice(2)] : null;
    this.#isFirst = false;
    const ranges = linked ?? this.#window(posterior) ?? (stays ? null : [0, 1].map(where.whole));
    const images = view.tiles.checked ? plot.layout.images : [];
    await Plotly.react(plot, traces, this.#layout({ ...plot.layout, images }, where, about, ranges));
    this.#keepZoom(plot);
    view.note.textContent = this.#note();
    for (const button of view.zoom) button.node.disabled = choices.scale !== "square";
    this.#mark();
    this.#tiles();
  }

  /**
   * The layout with the ticks and titles of a plane.
   *
   * @param {Layout} before
   * @param {Plane} where
   * @param {Description} about
   * @param {number[][] | null} ranges null to leave them as they are
   */
  #layout(before, where, about, ranges) {
    const made = { ...before };
    AXES.forEach((name, k) => {
      const title = { text: this.#titles()[k], standoff: 4 };
      const range = ranges ? { range: ranges[k], autorange: false } : {};
      made[name] = { ...made[name], ...ticks(where, k, about, choices.scale === "quantiles"), title, ...range };
    });
    return made;
  }

  /**
   * What is to be zoomed to, if anything: the window of the posterior.
   *
   * @param {PosteriorAndQ | null} posterior
   */
  #window(posterior) {
    const seek = this.#seek && choices.scale === "square";
    this.#seek = false;
    if (!seek || !posterior) return null;
    const { center, half } = posterior;
    return center.map((middle) => [middle - half, middle + half]);
  }

  /** @param {Description} about */
  #axes(about) {
    const { which, first, second } = this.view;
    if (which.value === "principal" && this.#means?.axes.length) return this.#means.axes;
    return [first, second].map(({ value }) => unit(Number(value), about.dims.length));
  }

  /**
   * How far the map goes when it shows all, the same along both axes.
   *
   * @param {Description} about
   */
  #reach(about) {
    const { which, first, second } = this.view;
    const means = this.#means;
    if (which.value === "principal" && means?.axes.length) return Math.max(...means.axes_reach);
    return Math.max(...[first, second].map(({ value }) => (means ?? about).reach[Number(value)]));
  }

  /** @param {Plot} plot */
  #showsAll(plot) {
    const where = this.#plane;
    return AXES.every((name, k) => String(plot._fullLayout[name].range) === String(where?.whole(k)));
  }

  /**
   * Has the address keep what is zoomed to.
   *
   * @param {Plot} plot
   */
  #keepZoom(plot) {
    choices.zoom = this.#showsAll(plot) ? null : AXES.flatMap((name) => plot._fullLayout[name].range.map(Number));
    dispatchEvent(new Event("vae-view"));
  }

  #titles() {
    const { which, first, second } = this.view;
    if (which.value === "principal") return ["first principal axis", "second principal axis"];
    return [`z${first.value}`, `z${second.value}`];
  }

  /** What can be seen, and what a hand can do. */
  #note() {
    const means = this.view.points.checked ? this.#means : null;
    const count = means?.count.toLocaleString("en");
    const images = means ? `${count} test images of ${means.data} at the mean of q(z|x), coloured by label. ` : "";
    const press = TOUCH ? "Tap to move the point, or drag it" : "Press or drag to move the point";
    const zoom = choices.scale === "square" && !TOUCH ? ", turn the wheel to zoom, double-click to see all" : "";
    return `${images}${press}${zoom}.`;
  }

  /**
   * q and the exact posterior of the chosen image, of a model with D = 2; null where there is none, after saying why.
   *
   * @param {Description} about
   * @returns {Promise<PosteriorAndQ | null>}
   */
  async #posterior(about) {
    const { truth } = this.view;
    if (!truth.value || about.dims.length !== 2) return null;
    const { say, server } = this.place;
    const chosen = about.examples[Number(truth.value)];
    const drawing = truth.value === "drawing" ? keptDrawing() : chosen && { image: chosen.image };
    if (!drawing) {
      if (truth.value === "drawing") say("There is no drawing yet: draw one in the Draw tab.");
      return null;
    }
    const { id } = model;
    const looked = await answerOf(server.look({ model: id, ...drawing, draws: 1 }));
    if (failed(looked)) {
      say(looked.error);
      return null;
    }
    const { version, seen, z: mu, std } = looked;
    const answer = await exactPosterior({ model: id, version, seen, q: { mu, std } }, server);
    if (!failed(answer)) return { ...answer, q: { mu, std } };
    say(answer.error);
    return null;
  }

  /** Has the pictures of what is in sight drawn, some time later. */
  #tiles() {
    const where = this.#plane;
    const plot = this.#chart?.plot;
    const { z } = point;
    if (!where || !plot || !this.view.tiles.checked || !z || z.length !== model.about?.dims.length) return;
    const count = tilesASide();
    const ranges = AXES.map((name) => plot._fullLayout[name].range.map(Number));
    const centre = (/** @type {number} */ k, /** @type {number} */ n) => {
      const [low, high] = ranges[k];
      return where.at(low + ((n + 0.5) / count) * (high - low), k);
    };
    const points = [];
    for (let row = count - 1; row >= 0; row -= 1)
      for (let column = 0; column < count; column += 1)
        points.push(where.through(z, [centre(0, column), centre(1, row)]));
    const all = new Uint8Array(784 * points.length);
    pictures(
      "map",
      points,
      (n, grey) => all.set(grey, 784 * n),
      () => this.#showTiles(all, count, ranges),
    );
  }

  /**
   * @param {Uint8Array} all
   * @param {number} count
   * @param {number[][]} ranges
   */
  #showTiles(all, count, [[left, right], [bottom, top]]) {
    if (!this.#chart) return;
    const { Plotly, plot } = this.#chart;
    const canvas = make("canvas");
    paint(canvas, all, count, count);
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
      opacity: this.view.points.checked ? 0.6 : 1,
    };
    Plotly.relayout(plot, { images: [image] });
    plot.dataset.tiles = String(Number(plot.dataset.tiles ?? 0) + 1);
  }

  /** Puts the marker at the point. */
  #mark() {
    const { marker } = this.view;
    const where = this.#plane;
    if (!where || !this.#chart || !point.z || point.z.length !== model.about?.dims.length) return;
    const { xaxis, yaxis } = this.#chart.plot._fullLayout;
    const [a, b] = where.coordinates(point.z);
    const x = xaxis._offset + xaxis.d2p(where.drawn(a, 0));
    const y = yaxis._offset + yaxis.d2p(where.drawn(b, 1));
    const left = Math.min(xaxis._offset + xaxis._length, Math.max(xaxis._offset, x));
    const top = Math.min(yaxis._offset + yaxis._length, Math.max(yaxis._offset, y));
    marker.classList.toggle("live-off", Math.hypot(left - x, top - y) > 1); // outside the picture: at its edge
    marker.style.transform = `translate(${left}px, ${top}px)`;
    marker.setAttribute("aria-valuetext", `${a.toFixed(2)}, ${b.toFixed(2)}`);
  }
}

/** As many tiles as can be decoded in time. */
function tilesASide() {
  if (!model.decoder) return MOST;
  return Math.max(LEAST, Math.min(MOST, Math.floor(Math.sqrt(PATIENCE / Math.max(model.ms ?? 0, 0.01)))));
}

function emptyLayout() {
  const axis = { showgrid: false, zeroline: false, fixedrange: false, ticks: "outside" };
  return {
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
      maxheight: 0.2, // of the chart: with more labels than that it scrolls
    },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
  };
}
