// How surprising the test images are to the model, as a histogram, with the image in hand and the empty one among them.

import { stranger } from "../../draw/crowd.js";
import { nice } from "../../meter/scale.js";
import { answerOf, failed } from "../../shared/ask.js";
import { model } from "../../shared/model.js";
import { base64, make, SIDE } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { Plot } from "../parts/plot.js";
import { exactly } from "../parts/scoring.js";

/** @import { Crowd } from "../../shared/types.js" */
/** @import { Frame } from "../frame.js" */
/** @import { Known } from "../image.js" */

const BINS = 56;
const ROW = 17; // px, of the marks' names
const TOP = 1.45; // of the axis, in highest columns: above these are the marks' names
const TAIL = 0.005; // of the most surprising images, which are beyond the axis
const EMPTY = base64(new Uint8Array(SIDE ** 2));

/** The histogram: `node`. */
export class Among {
  /** @type {Crowd | null} */
  #crowd = null;
  /** @type {number | null} */
  #empty = null; // ELBO of the empty image
  /** @type {Known | null} */
  #known = null;
  #isShown = false;
  #asked = ""; // the model and its version
  #counts = new Float64Array(BINS);
  #says = make("p", { className: "live-footnote" }, "Counting the test images …");
  #plot = new Plot({ x: [0, 1], y: [0, TOP], label: "−ELBO of the test images", ratio: 0.48, xTitle: "−ELBO, nats" });

  /** @param {Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.node = make("div", { className: "live-among" }, this.#says, this.#plot.node);
    const columns = svg("path", { class: "live-columns" });
    this.#plot.layer.append(columns);
    this.#plot.add(() => set(columns, { d: this.#columns() }));
    this.#mark("empty", "live-soft", 0, () => this.#beside);
    this.#mark("x: −ELBO", "term-elbo", 2, () => this.#minus(this.#known?.looked.elbo));
    this.#mark("−log p(x)", "term-evidence", 1, () => this.#minus(exactly(this.#known)));
  }

  /** Where the empty image stands, once the visitor has taken it, and has another one in hand. */
  get #beside() {
    const isInHand = this.#known?.x.every((value) => value === 0);
    return this.frame.isDone && !isInHand ? this.#minus(this.#empty) : null;
  }

  /** @param {boolean} isShown */
  shown(isShown) {
    this.#isShown = isShown;
    this.#ask();
  }

  /** @param {Known | null} known */
  take(known) {
    this.#known = known;
    this.#ask();
    this.show();
  }

  /** @param {number | null | undefined} value */
  #minus(value) {
    return typeof value === "number" && this.#crowd ? -value : null;
  }

  async #ask() {
    const known = this.#known;
    if (!known || !this.#isShown) return;
    const asked = `${model.id} ${known.looked.version}`;
    if (this.#asked === asked) return;
    this.#asked = asked;
    this.#crowd = null;
    this.#empty = null;
    this.show();
    const { server } = this.frame;
    const [crowd, empty] = await Promise.all([
      answerOf(server.crowd({ model: model.id })),
      answerOf(server.look({ model: model.id, image: EMPTY })),
    ]);
    if (this.#asked !== asked) return;
    if (failed(crowd) || failed(empty)) {
      this.#asked = ""; // the next one asks again
      this.#says.textContent = failed(crowd) ? crowd.error : failed(empty) ? empty.error : "";
      return;
    }
    this.#empty = empty.elbo;
    this.#take(crowd);
    this.show();
  }

  /** @param {Crowd} crowd */
  #take(crowd) {
    const { elbos, data } = crowd;
    if (!elbos.length) return;
    this.#crowd = crowd;
    this.#says.textContent = `${elbos.length.toLocaleString("en")} test images of ${data}, by how surprising they are`;
    const high = -elbos[Math.floor(TAIL * (elbos.length - 1))];
    const low = -elbos[elbos.length - 1];
    const unit = nice((high - low) / 6);
    const [from, to] = [Math.floor(low / unit) * unit, Math.ceil(high / unit) * unit];
    this.#plot.x = [from, to];
    const ticks = Math.round((to - from) / unit); // none at the end, where it would be cut
    this.#plot.options.ticks = Array.from({ length: ticks }, (_, n) => Number((from + n * unit).toPrecision(6)));
    this.#counts.fill(0);
    for (const elbo of elbos) {
      const place = Math.floor((BINS * (-elbo - from)) / (to - from));
      if (place >= 0 && place < BINS) this.#counts[place] += 1;
    }
  }

  #columns() {
    const [low, high] = this.#plot.x;
    const most = Math.max(1, ...this.#counts);
    const { px, py } = {
      px: (/** @type {number} */ x) => this.#plot.px(x),
      py: (/** @type {number} */ y) => this.#plot.py(y),
    };
    const wide = (high - low) / BINS;
    return [...this.#counts]
      .map((count, n) => {
        const [left, right] = [px(low + n * wide) + 0.5, px(low + (n + 1) * wide) - 0.5];
        return count ? `M${left},${py(0)}V${py(count / most)}H${right}V${py(0)}Z` : "";
      })
      .join("");
  }

  /**
   * A line at a value, with its name; where that lies beyond the axis, at the end of it.
   *
   * @param {string} text
   * @param {string} className
   * @param {number} row of the name, from the top
   * @param {() => number | null} value null where there is none
   */
  #mark(text, className, row, value) {
    const line = svg("line", { class: `live-at ${className}` });
    const name = svg("text", { class: className }, text);
    this.#plot.layer.append(line, name);
    this.#plot.add((plot) => {
      const at = value();
      for (const node of [line, name]) node.style.display = at === null ? "none" : "";
      if (at === null) return;
      const x = plot.px(Math.max(plot.x[0], Math.min(plot.x[1], at)));
      const y = ROW * (row + 1);
      set(line, { x1: x, x2: x, y1: plot.py(0), y2: y - ROW / 2 });
      const isLeft = x > plot.width / 2;
      set(name, { x: x + (isLeft ? -5 : 5), y, "text-anchor": isLeft ? "end" : "start" });
    });
  }

  /** Shows what is known: of the empty image once the visitor has taken it. */
  show() {
    const elbo = this.#known?.looked.elbo ?? null;
    const share = (/** @type {number | null} */ value) => {
      if (!this.#crowd || value === null) return "";
      return `${Math.round(100 * (1 - stranger(this.#crowd.elbos, value)))} %`;
    };
    const log_px = exactly(this.#known);
    this.frame.show({
      elbo: elbo === null ? "" : -elbo,
      evidence: log_px === null ? "" : -log_px,
      share: share(elbo),
      empty: this.frame.isDone ? share(this.#empty) : "",
    });
    this.#plot.draw();
  }
}
