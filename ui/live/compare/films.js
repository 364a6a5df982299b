// The films of the ticked runs beside each other, on one slider by share of the training.

import { failed, newest } from "../shared/ask.js";
import { inSight } from "../shared/feed.js";
import { make, penOf } from "../shared/page.js";
import { FRAME_SIDE as SIDE, IMAGE_SIDE as TILE } from "../shared/vocabulary.js";
import { frameOf } from "../train/film.js";
import { swatch } from "./differ.js";

/**
 * @import { Store } from "../shared/types.js"
 * @import { Coloured } from "./differ.js"
 */

const MOST = 4; // films at once
const TICK = 120; // ms a moment while they play
const STEP = 2; // % of the training from a moment to the next
const GAP = 6; // px between the parts of a frame
const PARTS = [SIDE, 2, 1, 1]; // rows of tiles: the map, samples, test images, and what the model makes of them
const ABOUT = "Each: the latent map; samples from the prior; test images, and below them what the model makes of them.";
const MORE = `Of more than ${MOST} ticked runs, the films of the first ${MOST} are shown. `;

/** The films; lay out their node. */
export class Films {
  /** @type {Map<string, Film>} */
  #films = new Map();
  #turn = newest(); // of the replays
  #isPlaying = () => false;
  #share = 100; // %
  #range = make("input", { type: "range", min: 0, max: 100, step: 1, value: 100, ariaLabel: "Share of the training" });
  #when = make("output");
  #play = make("button", { type: "button" }, "Play");
  #about = make("p");
  #list = make("div", { className: "live-films" });
  node = make(
    "section",
    { hidden: true },
    make("h3", {}, "Films"),
    this.#about,
    make("div", { className: "live-scrubber" }, this.#play, this.#range, this.#when),
    this.#list,
  );

  constructor() {
    this.#range.oninput = () => {
      this.#stop();
      this.#go(Number(this.#range.value));
    };
    this.#play.onclick = () => (this.#isPlaying() ? this.#stop() : this.#replay());
    this.#go(100);
  }

  /** @param {(Coloured & { label: string })[]} runs */
  show(runs) {
    const filmed = runs.filter(({ store }) => store.frames.length > 0);
    const some = filmed.slice(0, MOST);
    this.node.hidden = some.length === 0;
    this.#about.textContent = (filmed.length > MOST ? MORE : "") + ABOUT;
    for (const run of this.#films.keys()) if (!some.some(({ row }) => row.run === run)) this.#films.delete(run);
    const nodes = some.map(({ row, store, color, label }) => {
      const film = this.#films.get(row.run) ?? new Film();
      this.#films.set(row.run, film);
      film.name(color, label);
      film.show(store, this.#share);
      return film.node;
    });
    const same = nodes.length === this.#list.children.length && nodes.every((it, i) => it === this.#list.children[i]);
    if (!same) this.#list.replaceChildren(...nodes);
  }

  /** @param {number} share % */
  async #go(share) {
    this.#share = share;
    this.#range.value = String(share);
    this.#when.textContent = `${share} %`;
    this.#range.setAttribute("aria-valuetext", `${share} % of the training`);
    await Promise.all([...this.#films.values()].map((film) => film.go(share)));
  }

  #stop() {
    this.#turn();
    this.#play.textContent = "Play";
  }

  async #replay() {
    const isMine = this.#turn();
    this.#isPlaying = isMine;
    this.#play.textContent = "Pause";
    if (this.#share === 100) await this.#go(0);
    while (isMine() && this.#share < 100 && inSight(this.node)) {
      const next = Math.min(100, this.#share + STEP);
      await new Promise((resolve) => setTimeout(resolve, TICK));
      if (isMine()) await this.#go(next); // with every picture: a film never runs ahead of its slider
    }
    if (isMine()) this.#stop();
  }
}

/** One film. */
class Film {
  #turn = newest();
  /** @type {Store | null} */
  #store = null;
  #shown = -1; // the step of the frame that was asked for last
  #title = make("span");
  #step = make("output");
  #canvas = make("canvas", {
    width: SIDE * TILE,
    height: PARTS.reduce((sum, rows) => sum + rows * TILE, 0) + GAP * (PARTS.length - 1),
  });
  node = make("figure", {}, make("figcaption", {}, this.#title, this.#step), this.#canvas);

  /**
   * @param {string} color
   * @param {string} label
   */
  name(color, label) {
    const text = label.replaceAll("<br>", " ");
    if (this.#title.textContent === text && this.#title.dataset.color === color) return;
    this.#title.dataset.color = color;
    this.#title.replaceChildren(swatch(color), text);
    this.#canvas.ariaLabel = text;
    this.#canvas.role = "img";
  }

  /**
   * @param {Store} store
   * @param {number} share %
   */
  show(store, share) {
    this.#store = store;
    this.go(share);
  }

  /**
   * Shows the frame at a share of the training: the last one before it.
   *
   * @param {number} share %
   */
  async go(share) {
    if (!this.#store) return;
    const { run, frames, about } = this.#store;
    const total = about?.total_steps || frames[frames.length - 1];
    const step = frames.findLast((frame) => frame <= (share / 100) * total) ?? frames[0];
    this.#step.textContent = `step ${step.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    if (step === this.#shown) return;
    this.#shown = step;
    const isNewest = this.#turn();
    const frame = await frameOf(run, step);
    if (!isNewest()) {
      if (!failed(frame)) frame.image.close();
      return;
    }
    if (failed(frame)) {
      this.#shown = -1; // the next look asks again
      this.#step.textContent = `The picture did not come. ${frame.error}`;
      return;
    }
    paint(this.#canvas, frame.image);
    frame.image.close();
    this.node.dataset.step = String(step);
  }
}

/**
 * Paints the parts of a frame below each other.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} image
 */
function paint(canvas, image) {
  const pen = penOf(canvas);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  let [from, to] = [0, 0];
  for (const rows of PARTS) {
    const height = rows * TILE;
    pen.drawImage(image, 0, from, canvas.width, height, 0, to, canvas.width, height);
    from += height;
    to += height + GAP;
  }
}
