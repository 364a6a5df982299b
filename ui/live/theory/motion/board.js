// The machine while it trains: each of its stations shows what it holds once the step has come to it.

import { make, paint } from "../../shared/page.js";
import { svg } from "../../shared/svg.js";
import { Plane } from "./plane.js";
import { costs, probabilities } from "./recording.js";

/** @import { Shot } from "./recording.js" */

const SAID = "A step of training. Space plays; the arrow keys go by a stage";
const COLUMNS = 4; // of the batch's pictures
const DEAREST = 3; // nats of a pixel that is drawn as bright as can be

/** The machine: `node`. */
export class Board {
  #batch = make("canvas", { className: "live-batch" });
  #x = make("canvas");
  #made = make("canvas");
  #cost = make("canvas", { className: "live-cost" });
  #plane = new Plane();
  #of = make("span");
  #caption = make("div", { className: "live-motion-caption" });

  constructor() {
    this.node = make(
      "div",
      { className: "live-motion-board", tabIndex: 0, role: "group", ariaLabel: SAID },
      make(
        "div",
        { className: "live-motion-column" },
        station(0, this.#batch, this.#of),
        station(0, this.#x, "x, followed"),
      ),
      network("encoder", [1, 6]),
      make("div", { className: "live-motion-column" }, this.#plane.node, this.#caption),
      network("decoder", [3, 6]),
      make(
        "div",
        { className: "live-motion-column" },
        station(3, this.#made, "x̂, mean of p(x|z)"),
        station(4, this.#cost, "−log p, by pixel"),
      ),
    );
  }

  /**
   * Shows a step as far as it has come.
   *
   * @param {Shot} shot
   * @param {number} stage
   * @param {boolean} mayBeClose whether the plane may be shown close up
   */
  show(shot, stage, mayBeClose) {
    paint(this.#batch, joined(shot.x), COLUMNS, shot.x.length / COLUMNS);
    this.#of.textContent = `${shot.x.length} of ${shot.images}`;
    paint(this.#x, shot.x[0]);
    paint(this.#made, grey(probabilities(shot), 1));
    paint(this.#cost, grey(costs(shot), DEAREST));
    this.#plane.show(shot, mayBeClose);
    this.#caption.textContent = this.#plane.isClose
      ? "the plane of z, close up at q"
      : "the plane of z; dots: μ of the batch";
    for (const node of this.node.querySelectorAll("[data-stage]")) {
      const stages = (node.getAttribute("data-stage") ?? "").split(",").map(Number);
      node.classList.toggle("live-later", stage < stages[0]);
      node.classList.toggle("live-now", stages.includes(stage));
    }
  }
}

/**
 * A picture that is there from a stage on.
 *
 * @param {number} stage
 * @param {HTMLCanvasElement} canvas
 * @param {Node | string} caption
 */
function station(stage, canvas, caption) {
  const node = make("figure", { className: "live-motion-station" }, canvas, make("figcaption", {}, caption));
  node.dataset.stage = String(stage);
  return node;
}

/**
 * A network as it is drawn everywhere: narrow where z is.
 *
 * @param {"encoder" | "decoder"} name
 * @param {number[]} stages at which it works, or changes
 */
function network(name, stages) {
  const d = name === "encoder" ? "M2,2L50,40V80L2,118Z" : "M50,2L2,40V80L50,118Z";
  const shape = svg("svg", { viewBox: "0 0 52 120", preserveAspectRatio: "none" }, svg("path", { d }));
  const node = make("div", { className: "live-motion-network" }, shape, make("span", {}, name));
  node.dataset.stage = stages.join(",");
  return node;
}

/** @param {Uint8Array[]} parts */
export function joined(parts) {
  const whole = new Uint8Array(parts.length * parts[0].length);
  for (const [n, part] of parts.entries()) whole.set(part, n * part.length);
  return whole;
}

/**
 * @param {Float32Array} values
 * @param {number} most that is drawn as white
 */
const grey = (values, most) => Uint8Array.from(values, (value) => Math.round((255 * Math.min(value, most)) / most));
