// A number for every pixel as a heat map of one colour, from which a pixel can be chosen.

import { make, minus, penOf, SIDE } from "../../shared/page.js";
import { prose } from "../prose.js";

const LEAST = 1e-9; // of the colours' range

/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

/** A heat map: `node`. The most likely pixel is empty, the least likely one full. */
export class Heat {
  #canvas = make("canvas", { width: SIDE, height: SIDE, tabIndex: 0 });
  #ring = make("i", { className: "live-ring" });
  #ends = make("p", { className: "live-pixels-ends" });
  at = 0;

  /**
   * @param {{ title: string, said: string, sum: string }} about said: for a screen reader; sum: the name of its value
   * @param {(pixel: number) => void} choose
   */
  constructor({ title, said, sum }, choose) {
    this.choose = choose;
    this.#canvas.role = "img";
    this.#canvas.ariaLabel = `log-probability of each pixel, ${said}; arrow keys choose a pixel`;
    const output = make("output", {}, "–");
    output.dataset.value = sum;
    const place = make("div", { className: "live-pixels-place" }, this.#canvas, this.#ring);
    const head = prose("span", title);
    this.node = make("figure", { className: "live-pixel-map" }, make("figcaption", {}, head), place, this.#ends);
    this.node.append(make("p", { className: "live-pixels-sum" }, "sum ", output));
    this.#listen();
  }

  #listen() {
    const canvas = this.#canvas;
    const point = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      const [column, row] = [event.clientX - box.left, event.clientY - box.top].map((px) =>
        Math.max(0, Math.min(SIDE - 1, Math.floor((SIDE * px) / box.width))),
      );
      this.choose(row * SIDE + column);
    };
    canvas.addEventListener("pointerdown", point);
    canvas.addEventListener("pointermove", (event) => (event.buttons || event.pointerType === "mouse") && point(event));
    canvas.addEventListener("keydown", (event) => {
      const way = WAYS[event.key];
      if (!way) return;
      event.preventDefault();
      const [column, row] = [(this.at % SIDE) + way[0], Math.floor(this.at / SIDE) + way[1]];
      if (column >= 0 && column < SIDE && row >= 0 && row < SIDE) this.choose(row * SIDE + column);
    });
  }

  /** Marks a pixel. @param {number} pixel */
  mark(pixel) {
    this.at = pixel;
    const [column, row] = [pixel % SIDE, Math.floor(pixel / SIDE)];
    Object.assign(this.#ring.style, { left: `${(100 * column) / SIDE}%`, top: `${(100 * row) / SIDE}%` });
  }

  /** @param {ArrayLike<number>} values nats of each pixel */
  show(values) {
    const all = Array.from(values);
    const [least, most] = [Math.min(...all), Math.max(...all)];
    const pen = penOf(this.#canvas);
    const [red, green, blue] = (getComputedStyle(this.#canvas).color.match(/\d+/g) ?? ["0", "0", "0"]).map(Number);
    const image = pen.createImageData(SIDE, SIDE);
    for (const [i, value] of all.entries()) {
      const share = Math.sqrt((most - value) / Math.max(LEAST, most - least)); // the root: small losses are seen, too
      image.data.set([red, green, blue, Math.round(255 * share)], 4 * i);
    }
    pen.putImageData(image, 0, 0);
    const swatch = make("i");
    this.#ends.replaceChildren(minus(most.toFixed(2)), swatch, minus(least.toFixed(2)));
  }
}
