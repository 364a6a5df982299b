// The plane of a model with two latent dimensions: what its points decode to, the exact posterior, and q over it.

import { inSight } from "../shared/feed.js";
import { model as current, onModelAtLeisure, picture, pictureOfServer, pictures } from "../shared/model.js";
import { make, minus, paint, penOf, SIDE } from "../shared/page.js";
import { set, svg } from "../shared/svg.js";
import { word } from "../words/word.js";
import { Handles } from "./handles.js";

/** @import { Description, Exact, Q } from "../shared/types.js" */
/**
 * A square of the plane, in z.
 *
 * @typedef {{ center: number[], half: number }} Square
 * @typedef {{ square: Square, canvas: HTMLCanvasElement }} Sheet what the points of a square decode to
 */

export const VIEW = 200; // units a side of what is drawn over the picture
const TILES = 14; // a side
const PIXELS = TILES * SIDE;
const ORANGE = [213, 94, 0]; // the true posterior, as q is blue
const FAINT = [0.5, 0.5]; // what black is lifted to, and how much of white is left: the ellipses stand out
const WHOLE = 3.5; // prior standard deviations to either side that the whole plane is shown to
const ROOM = 3; // standard deviations to either side of a mean that are seen around q
const EDGE = 0.98; // of the way from the middle to a side: what is dragged stays in sight
const CAMERA = 400; // ms that a change of the square takes
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
let maps = 0; // on this page: each has pictures of its own

/** The plane. */
export class QMap {
  #key = `q-map-${maps++}`;
  /** @type {Description | null} */
  #model = null; // of two dimensions
  /** @type {{ answer: Exact, canvas: HTMLCanvasElement } | null} */
  #truth = null;
  /** @type {Q | null} */
  #q = null;
  /** @type {Q[]} */
  #path = [];
  /** @type {Square} */
  #square = { center: [0, 0], half: 1 }; // that is shown
  #isClose = false; // whether that is the square around q
  #moves = 0; // of the camera: a new one ends the last
  /** @type {Sheet[]} */
  #sheets = []; // of the whole plane, and over it of the square around q
  /** @type {number | null} */
  #pointing = null; // the frame in which what is pointed at is decoded
  #canvas = make("canvas", { width: 2 * PIXELS, height: 2 * PIXELS });
  #ellipses = [2, 1].map((sigma) => ({ sigma, node: svg("ellipse", { "data-sigma": sigma }) }));
  #trail = svg("polyline", { class: "live-trail" });
  /** @type {Q | null} */
  #other = null; // that q is compared with
  #ghost = svg("ellipse", { class: "live-other", visibility: "hidden" });
  /** @type {ArrayLike<number> | null} */
  #z = null; // that was thrown
  #thrown = svg("circle", { r: 2, class: "live-thrown", visibility: "hidden" });
  #over = svg(
    "svg",
    { viewBox: `0 0 ${VIEW} ${VIEW}` },
    this.#trail,
    this.#ghost,
    ...this.#ellipses.map((it) => it.node),
    this.#thrown,
  );
  #zoom = make("button", { type: "button", className: "live-zoom" });
  #behind = word("posterior", "p(z|x)");

  /**
   * @param {{ over: (grey: Uint8Array | null) => void, onq: (q: Q) => void }} events over: what the point under the
   *   mouse decodes to; onq: q was moved by hand
   */
  constructor({ over, onq }) {
    this.over = over;
    this.handles = new Handles(this.#over, {
      at: (event) => this.#at(event),
      onq,
      pointed: (z) => this.#pointed(z),
    });
    this.#zoom.onclick = () => this.look(!this.#isClose);
    this.node = make(
      "figure",
      { className: "live-plane" },
      make("figcaption", {}, word("encoder", "q(z|x)"), ", and ", this.#behind, " behind"),
      make("div", {}, this.#canvas, this.#over, this.#zoom),
    );
    new ResizeObserver(() => this.#decode()).observe(this.node); // which it also is when it comes into sight
    onModelAtLeisure(() => {
      this.#sheets = [];
      this.#decode();
    });
    this.about(null);
  }

  /**
   * Takes a model: one of two dimensions has the picture, and its place before it is drawn.
   *
   * @param {Description | null} model
   */
  about(model) {
    this.#model = model?.dims.length === 2 ? model : null;
    this.node.hidden = !this.#model;
    this.#sheets = [];
    this.clear();
    this.look(false);
  }

  /**
   * Takes the exact posterior of the drawing.
   *
   * @param {Exact} answer
   */
  take(answer) {
    const canvas = make("canvas", { width: answer.cells, height: answer.cells });
    const image = new ImageData(answer.cells, answer.cells);
    answer.density.forEach((value, i) => {
      image.data.set([...ORANGE, value], 4 * i);
    });
    penOf(canvas).putImageData(image, 0, 0);
    this.#truth = { answer, canvas };
    this.node.classList.remove("live-old");
    const moments = [0, 1].map(
      (j) => `z${j}: mean ${minus(answer.mean[j].toFixed(2))}, s.d. ${answer.std[j].toPrecision(2)}`,
    );
    this.node.title = `The exact posterior has ${moments.join("; ")}. Blue: q at 1 and 2 σ.`;
    if (this.#isClose) this.#go(this.#around());
    else this.#paint();
  }

  /**
   * The drawing is another: the posterior is still that of the last one.
   *
   * @param {string} x what the model is given of it, in formulas
   */
  outdated(x) {
    this.#behind.textContent = `p(z|${x})`;
    this.node.classList.add("live-old");
  }

  /**
   * q's ellipse, and the way that its mean went.
   *
   * @param {Q} q
   * @param {Q[]} [path]
   */
  show(q, path = []) {
    this.#q = q;
    this.#path = path;
    this.#lay();
  }

  /**
   * Another q to compare with, at one standard deviation.
   *
   * @param {Q | null} q null for none
   */
  compare(q) {
    this.#other = q;
    this.#lay();
  }

  /**
   * The z that was thrown.
   *
   * @param {ArrayLike<number> | null} z null where none is
   */
  mark(z) {
    this.#z = z;
    this.#lay();
  }

  /** Empties it, until something is known of the next drawing. */
  clear() {
    this.#truth = null;
    this.#q = null;
    this.#other = null;
    this.#path = [];
    this.node.title = "";
    this.node.classList.remove("live-old");
    this.#lay();
    this.#paint();
  }

  /**
   * Looks at the surroundings of q, or at the whole plane.
   *
   * @param {boolean} close
   */
  look(close) {
    this.#isClose = close;
    this.node.classList.toggle("live-close", close);
    this.#zoom.textContent = close ? "whole map" : "zoom to q";
    this.#go(close ? this.#around() : this.#whole());
  }

  /** @returns {Square} */
  #whole() {
    if (!this.#model) return { center: [0, 0], half: 1 };
    const { prior_mean: mean, prior_std: std, reach } = this.#model;
    const isWithin = !this.#q || this.#q.mu.every((mu) => Math.abs(mu - mean) < WHOLE * std);
    const far = Math.max(...reach);
    return { center: [mean, mean], half: isWithin ? Math.min(WHOLE * std, far) : far };
  }

  /**
   * What holds q, and the posterior where it is known, but for small parts of it that lie far off.
   *
   * @returns {Square}
   */
  #around() {
    const both = [this.#q, this.#truth && { mu: this.#truth.answer.mean, std: this.#truth.answer.std }];
    const known = both.filter((it) => it !== null);
    if (!known.length) return this.#whole();
    const ends = [0, 1].map((k) => [
      Math.min(...known.map(({ mu, std }) => mu[k] - ROOM * std[k])),
      Math.max(...known.map(({ mu, std }) => mu[k] + ROOM * std[k])),
    ]);
    return {
      center: ends.map(([low, high]) => (low + high) / 2),
      half: Math.max(...ends.map(([low, high]) => high - low)) / 2,
    };
  }

  /**
   * Moves to a square, at once where motion is not wanted.
   *
   * @param {Square} to
   */
  async #go({ center, half }) {
    this.#moves += 1;
    const mine = this.#moves;
    const from = this.#square;
    const began = performance.now();
    for (let t = 0; t < 1 && mine === this.#moves; ) {
      if (inSight(this.node) && !STILL.matches) await new Promise(requestAnimationFrame);
      t = inSight(this.node) && !STILL.matches ? Math.min(1, (performance.now() - began) / CAMERA) : 1;
      if (mine !== this.#moves) return;
      const share = half === from.half ? t : (from.half - from.half * (half / from.half) ** t) / (from.half - half);
      this.#square = {
        center: center.map((end, k) => from.center[k] + share * (end - from.center[k])),
        half: from.half * (half / from.half) ** t,
      };
      this.#lay();
      this.#paint();
    }
    this.#decode();
  }

  /** Has what is shown decoded, some time later. */
  #decode() {
    const square = this.#square;
    if (!this.#model || !inSight(this.node) || current.about?.dims.length !== 2) return;
    const { center, half } = square;
    if (this.#sheets.some((sheet) => sheet.square.half === half && `${sheet.square.center}` === `${center}`)) return;
    const points = Array.from({ length: TILES * TILES }, (_, n) =>
      Float32Array.of(
        center[0] + half * (((n % TILES) + 0.5) * (2 / TILES) - 1),
        center[1] - half * ((Math.floor(n / TILES) + 0.5) * (2 / TILES) - 1),
      ),
    );
    const all = new Uint8Array(TILES * TILES * SIDE * SIDE);
    const [lift, share] = FAINT;
    pictures(
      this.#key,
      points,
      (n, grey) =>
        all.set(
          grey.map((value) => 255 * lift + share * value),
          SIDE * SIDE * n,
        ),
      () => {
        const canvas = make("canvas");
        paint(canvas, all, TILES, TILES);
        const whole = this.#isClose ? this.#sheets.slice(0, 1) : [];
        this.#sheets = [...whole, { square, canvas }];
        this.node.dataset.tiles = this.#isClose ? "close" : "whole";
        this.#paint();
      },
    );
  }

  #paint() {
    const pen = penOf(this.#canvas);
    const { width } = this.#canvas;
    pen.fillStyle = "#808080";
    pen.fillRect(0, 0, width, width);
    const put = (/** @type {HTMLCanvasElement} */ canvas, /** @type {Square} */ { center, half }) => {
      const [left, top] = [this.#x(center[0] - half), this.#y(center[1] + half)];
      const side = (VIEW * half) / this.#square.half;
      const scale = width / VIEW;
      pen.drawImage(canvas, left * scale, top * scale, side * scale, side * scale);
    };
    for (const { canvas, square } of this.#sheets) put(canvas, square);
    if (this.#truth) put(this.#truth.canvas, this.#truth.answer);
  }

  /** @param {number} z */
  #x(z) {
    return (VIEW / 2) * (1 + (z - this.#square.center[0]) / this.#square.half);
  }

  /** @param {number} z */
  #y(z) {
    return (VIEW / 2) * (1 - (z - this.#square.center[1]) / this.#square.half);
  }

  #lay() {
    this.#over.style.visibility = this.#q ? "visible" : "hidden";
    if (!this.#q) return;
    const { cx, cy, rx, ry } = this.#ellipseOf(this.#q);
    for (const { sigma, node } of this.#ellipses) set(node, { cx, cy, rx: sigma * rx, ry: sigma * ry });
    this.handles.show(this.#q, { cx, cy, rx, ry });
    set(this.#ghost, { visibility: this.#other ? "inherit" : "hidden" });
    if (this.#other) set(this.#ghost, this.#ellipseOf(this.#other));
    const isSeen = this.#z?.length === 2;
    set(this.#thrown, { visibility: isSeen ? "inherit" : "hidden" });
    if (this.#z && isSeen) set(this.#thrown, { cx: this.#x(this.#z[0]), cy: this.#y(this.#z[1]) });
    set(this.#trail, { points: this.#path.map((q) => `${this.#x(q.mu[0])},${this.#y(q.mu[1])}`).join(" ") });
  }

  /**
   * A q at one standard deviation, in units of the picture.
   *
   * @param {Q} q
   */
  #ellipseOf({ mu, std }) {
    const [rx, ry] = std.map((s) => (s * VIEW) / 2 / this.#square.half);
    return { cx: this.#x(mu[0]), cy: this.#y(mu[1]), rx, ry };
  }

  /**
   * The point of the plane under a pointer.
   *
   * @param {PointerEvent} event
   */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.#over.getBoundingClientRect();
    const { center, half } = this.#square;
    const within = (/** @type {number} */ share) => Math.max(-EDGE, Math.min(EDGE, 2 * share - 1));
    return [center[0] + half * within((clientX - left) / width), center[1] - half * within((clientY - top) / height)];
  }

  /** @param {number[] | null} z null where nobody points at it any more */
  #pointed(z) {
    if (this.#pointing !== null) cancelAnimationFrame(this.#pointing);
    this.#pointing = requestAnimationFrame(async () => {
      this.#pointing = null;
      if (!z || current.about?.dims.length !== 2) {
        this.over(null);
        return;
      }
      const place = Float32Array.from(z);
      const grey = picture(place) ?? (await pictureOfServer([place]).catch(() => null)); // Latents says what is wrong
      if (grey) this.over(grey);
    });
  }
}
