// The three parts of Bayes' theorem over the model's plane, for the image in hand, computed in this browser (T1).

import { AT_ONCE } from "../../exact/rows.js";
import { useModelIn } from "../../page/leads.js";
import { later, never } from "../../shared/background.js";
import { make, minus, penOf } from "../../shared/page.js";
import { PLANE_MODEL } from "../cards.js";
import { exactly, rowsOf } from "../parts/scoring.js";

/** @import { Row, Rows } from "../../exact/rows.js" */
/** @import { Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */
/**
 * A window on the plane, and what its points decode to, where that is known: row by row, the uppermost first.
 *
 * @typedef {{ center: number[], half: number, rows: (Row | null)[] }} Window
 */

const KEY = "bayes";
const SIDE = 64; // points of a map
const STEPS = [8, 4, 2, 1]; // every so many points are decoded first
const WHOLE = 3.5; // prior standard deviations
const RANGE = 30; // nats below the highest, at which a map has no colour left
const MAPS = [
  { name: "prior", title: "p(z)", sign: "×" },
  { name: "likelihood", title: "p(x|z)", sign: "∝" },
  { name: "posterior", title: "p(z|x)", sign: "" },
];
const STEP = 1 / 40; // of half a window, by an arrow key

/** The maps: `node`. */
export class Maps {
  /** @type {Rows | null} */
  #rows = null;
  /** @type {Known | null} */
  #known = null;
  /** @type {Window | null} */
  #window = null;
  #isClose = false;
  #isShown = false;
  #isMoved = false; // the visitor has chosen z
  /** @type {number[]} */
  #z = [0, 0];
  #maps = MAPS.map(tile);
  #zoom = make("button", { type: "button", className: "live-quiet" }, "zoom to the posterior");
  #says = make("p", { className: "live-footnote" });
  #pad = make("div", { className: "live-tiles", tabIndex: 0, role: "slider", ariaLabel: "z of the model" });

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.#pad.append(...this.#maps.flatMap(({ node, sign }) => [node, ...(sign ? [make("span", {}, sign)] : [])]));
    this.#zoom.onclick = () => this.#look(!this.#isClose);
    this.node = make(
      "div",
      { className: "live-maps" },
      this.#pad,
      make("div", { className: "live-under" }, this.#says, this.#zoom),
    );
    for (const { canvas } of this.#maps) this.#listen(canvas);
    this.#pad.addEventListener("keydown", (event) => this.#key(event));
    frame.image.onChange((known, isOther) => this.#take(known, isOther));
  }

  /**
   * Decodes only as long as the card is in sight.
   *
   * @param {boolean} isShown
   */
  shown(isShown) {
    this.#isShown = isShown;
    if (isShown) this.#look(this.#isClose);
    else never(KEY);
  }

  /**
   * @param {Known | null} known
   * @param {boolean} isOther
   */
  async #take(known, isOther) {
    const before = this.#known;
    this.#known = known;
    if (!known) return this.#clear("");
    if (known.about.dims.length !== 2) return this.#offer();
    const rows = await rowsOf(known.looked.version);
    if (this.#known !== known) return;
    if (!rows) return this.#clear("This browser could not load the model’s decoder, which the maps need.");
    this.#pad.hidden = false;
    if (isOther || !before) this.#isMoved = false;
    if (!this.#isMoved) this.#z = known.exact?.mean ?? known.q.mu;
    if (rows !== this.#rows) this.#window = null;
    this.#rows = rows;
    this.#look(this.#isClose && Boolean(known.exact));
  }

  /** @param {string} text in place of the maps */
  #clear(text) {
    never(KEY);
    this.#window = null;
    this.#rows = null;
    this.#pad.hidden = Boolean(text);
    this.#zoom.hidden = true;
    this.#says.replaceChildren(text);
    this.frame.show({ log_prior: "", log_likelihood: "", log_evidence: "", log_posterior: "", log_area_posterior: "" });
  }

  #offer() {
    this.#clear("The maps need a model with two latent dimensions. ");
    const use = make("button", { type: "button" }, "Use one");
    use.onclick = () => useModelIn("theory", PLANE_MODEL);
    this.#says.append(use);
  }

  /**
   * Shows the whole plane, or what there is of the posterior.
   *
   * @param {boolean} isClose
   */
  #look(isClose) {
    const [rows, known] = [this.#rows, this.#known];
    if (!rows || !known) return;
    this.#isClose = isClose;
    this.#zoom.hidden = !known.exact;
    this.#zoom.textContent = isClose ? "the whole plane" : "zoom to the posterior";
    const whole = { center: [rows.mean, rows.mean], half: WHOLE * rows.std };
    const { center, half } = isClose && known.exact ? known.exact : whole;
    const last = this.#window;
    const isSame = last && last.half === half && last.center.every((value, k) => value === center[k]);
    this.#window = isSame ? last : { center, half, rows: new Array(SIDE * SIDE).fill(null) };
    this.#says.textContent = `Colour fades out ${RANGE} nats below the peak. * exact only here`;
    if (this.#isShown) later(KEY, this.#paint(rows, this.#window, known));
    this.#tell();
  }

  /**
   * Paints the maps, coarsely first.
   *
   * @param {Rows} rows
   * @param {Window} window
   * @param {Known} known
   */
  *#paint(rows, window, known) {
    const score = rows.scorer(known.x);
    for (const step of STEPS) {
      const points = gridOf(step).filter((n) => !window.rows[n]);
      for (let n = 0; n < points.length; n += AT_ONCE) {
        const some = points.slice(n, n + AT_ONCE);
        const found = rows.decode(some.map((place) => zOf(window, place)));
        for (const [k, place] of some.entries()) window.rows[place] = found[k];
        yield;
      }
      this.#show(rows, window, score, step);
      yield;
    }
    this.node.dataset.known = `${known.looked.version} ${this.#isClose ? "close" : "whole"}`;
  }

  /**
   * @param {Rows} rows
   * @param {Window} window
   * @param {(row: Row) => number} score
   * @param {number} step
   */
  #show(rows, window, score, step) {
    const side = SIDE / step;
    const logs = MAPS.map(() => new Float64Array(side * side));
    for (let n = 0; n < side * side; n += 1) {
      const place = step * (Math.floor(n / side) * SIDE + (n % side));
      const prior = rows.logPrior(zOf(window, place));
      const likelihood = score(/** @type {Row} */ (window.rows[place]));
      [prior, likelihood, prior + likelihood].forEach((value, k) => {
        logs[k][n] = value;
      });
    }
    for (const [k, { canvas }] of this.#maps.entries()) shade(canvas, logs[k], side);
  }

  /** Says what stands at z. */
  #tell() {
    const [rows, known, window] = [this.#rows, this.#known, this.#window];
    if (!rows || !known || !window) return;
    const z = this.#z;
    const log_prior = rows.logPrior(z);
    const log_likelihood = rows.scorer(known.x)(rows.decode([z])[0]);
    const log_evidence = exactly(known);
    const log_posterior = log_evidence === null ? "" : log_prior + log_likelihood - log_evidence;
    this.frame.show({ log_prior, log_likelihood, log_evidence: log_evidence ?? "", log_posterior });
    const at = z.map((value, k) => (value - window.center[k]) / window.half);
    for (const { mark } of this.#maps) {
      mark.hidden = at.some((value) => Math.abs(value) > 1);
      Object.assign(mark.style, { left: `${50 + 50 * at[0]}%`, top: `${50 - 50 * at[1]}%` });
    }
    this.#pad.ariaValueNow = z[0].toFixed(2);
    this.#pad.ariaValueText = minus(z.map((value) => value.toFixed(2)).join(", "));
  }

  /** @param {number[]} z */
  #move(z) {
    const window = this.#window;
    if (!window) return;
    this.#isMoved = true;
    this.#z = z.map((value, k) => {
      const middle = window.center[k];
      return Math.max(middle - window.half, Math.min(middle + window.half, value));
    });
    this.#tell();
    this.frame.done();
  }

  /** @param {HTMLCanvasElement} canvas */
  #listen(canvas) {
    const move = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      const window = this.#window;
      if (!window) return;
      const across = (2 * (event.clientX - box.left)) / box.width - 1;
      const up = 1 - (2 * (event.clientY - box.top)) / box.height;
      this.#move([across, up].map((value, k) => window.center[k] + window.half * value));
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && move(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const ways = { ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowLeft: [-1, 0], ArrowDown: [0, -1] };
    const way = ways[/** @type {keyof typeof ways} */ (event.key)];
    if (!way || !this.#window) return;
    event.preventDefault();
    const step = this.#window.half * STEP * (event.shiftKey ? 10 : 1);
    this.#move(this.#z.map((value, k) => value + step * way[k]));
  }
}

/** @param {(typeof MAPS)[number]} map */
function tile({ name, title, sign }) {
  const canvas = make("canvas", { width: 1, height: 1 });
  const mark = make("i", { hidden: true });
  const plane = make("div", { className: "live-tile" }, canvas, mark);
  const node = make("figure", { className: `term-${name}` }, make("figcaption", {}, title), plane);
  return { canvas, mark, node, sign };
}

/** Every so many points of a map, in either direction. @param {number} step */
function gridOf(step) {
  const side = SIDE / step;
  return Array.from({ length: side * side }, (_, n) => step * (Math.floor(n / side) * SIDE + (n % side)));
}

/**
 * The z of a point of a map: the middle of its cell.
 *
 * @param {{ center: number[], half: number }} window
 * @param {number} place
 */
function zOf({ center, half }, place) {
  const [row, column] = [Math.floor(place / SIDE), place % SIDE];
  const across = (2 * column + 1) / SIDE - 1;
  const up = 1 - (2 * row + 1) / SIDE;
  return [center[0] + half * across, center[1] + half * up];
}

/**
 * Paints a map in its own colour: the less of it, the lower.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Float64Array} logs
 * @param {number} side
 */
function shade(canvas, logs, side) {
  [canvas.width, canvas.height] = [side, side];
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  const [red, green, blue] = colourOf(canvas);
  const image = penOf(canvas).createImageData(side, side);
  logs.forEach((value, n) => {
    const share = Math.max(0, 1 - (most - value) / RANGE);
    image.data.set([red, green, blue, 255 * share], 4 * n);
  });
  penOf(canvas).putImageData(image, 0, 0);
}

/** The colour that text has in a node. @param {HTMLElement} node */
function colourOf(node) {
  const [red, green, blue] = getComputedStyle(node)
    .color.match(/[\d.]+/g)
    ?.map(Number) ?? [0, 0, 0];
  return [red, green, blue];
}
