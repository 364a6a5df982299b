// μ ± σ of each dimension against the prior, the dimensions with most information first; one of them can be taken.

import { make, minus } from "../shared/page.js";
import { ASLEEP } from "../shared/vocabulary.js";
import { reachOf } from "../space/reach.js";
import { word } from "../words/word.js";

/** @import { Description, Q } from "../shared/types.js" */
/** @typedef {ReturnType<typeof column>} Column */
/** @typedef {Q & { own: Q }} Held a q, and the encoder's own */

const MOST = 40; // dimensions shown
const STILL = 3; // px that a mouse may move in a click
const NAMED = 12; // dimensions whose numbers have room below them
const title = () => [
  ...[word("encoder", "q(z|x)"), ": ", word("mu", "μ"), " ± ", word("std", "σ"), " of each dimension"],
];

/** The dimensions as columns beside each other, which can be chosen and dragged. */
export class Dimensions {
  /** @type {Description | null} */
  #model = null;
  /** @type {Column[]} */
  #columns = [];
  /** @type {Held | null} */
  #shown = null;
  /** @type {number | null} */
  #taken = null;
  #unfolded = false;
  #ofModel = 0; // how far the columns go to either side of the prior's mean
  #reach = 0; // the same now: it grows with what lies further out
  #list = make("div", { className: "live-dims" });
  #rest = make("button", { type: "button", className: "live-rest" });

  /**
   * @param {{ onTake: (index: number | null) => void, onDrag: (index: number, mu: number) => void }} events onTake: a
   *   dimension is chosen; onDrag: its μ is dragged with a mouse
   */
  constructor({ onTake, onDrag }) {
    this.onTake = onTake;
    this.onDrag = onDrag;
    this.#rest.onclick = () => {
      this.#unfolded = !this.#unfolded;
      this.#build();
    };
    const about = make("div", { className: "live-title", title: "Grey: the prior ± 1 and 2 σ" }, ...title());
    this.node = make("div", {}, about, this.#list, this.#rest);
  }

  /**
   * Takes the dimensions of a model.
   *
   * @param {Description} model
   */
  take(model) {
    this.#model = model;
    this.#shown = null;
    this.#build();
  }

  #build() {
    if (!this.#model) return;
    const { dims, reach } = this.#model;
    const awake = dims.filter(({ kl }) => kl === null || kl >= ASLEEP);
    const asleep = dims.length - awake.length;
    const listed = this.#unfolded || !awake.length ? dims : awake.slice(0, MOST);
    this.#columns = listed.map(({ index }) => this.#column(index));
    this.#list.replaceChildren(...this.#columns.map((it) => it.node));
    this.#list.style.setProperty("--count", String(this.#columns.length));
    this.#list.classList.toggle("live-crowded", this.#columns.length > NAMED);
    this.#ofModel = Math.max(...listed.map(({ index }) => reach[index]));
    const more = awake.length - Math.min(awake.length, MOST);
    this.#rest.hidden = !asleep && !more;
    this.#rest.textContent = this.#unfolded
      ? "Fold those asleep away"
      : [more && `${more} more`, asleep && `${asleep} asleep (below ${ASLEEP} nats in training)`]
          .filter(Boolean)
          .join(" and ");
    if (!this.#columns.some(({ index }) => index === this.#taken)) this.#taken = this.#columns[0]?.index ?? null;
    this.onTake(this.#taken);
    if (this.#shown) this.show(this.#shown);
    else this.clear();
    this.#mark();
  }

  /** @param {number} index */
  #column(index) {
    const choose = () => {
      this.#taken = index;
      this.#mark();
      this.onTake(index);
    };
    const drag = (/** @type {number} */ up) => {
      if (this.#model) this.onDrag(index, this.#model.prior_mean + this.#reach * up);
    };
    return column(index, choose, drag);
  }

  #mark() {
    for (const { index, node } of this.#columns) node.setAttribute("aria-pressed", String(index === this.#taken));
  }

  /**
   * Shows a q; the encoder's own is seen where q is another.
   *
   * @param {Held} q
   */
  show(q) {
    if (!this.#model) return;
    const { prior_mean: mean, prior_std: std } = this.#model;
    this.#shown = q;
    const held = this.#columns.some(({ node }) => node.dataset.held === "yes"); // nothing moves under the hand
    const off = this.#columns.flatMap(({ index: j }) => [q.mu[j], q.own.mu[j]]).map((mu) => Math.abs(mu - mean));
    if (!held) this.#reach = reachOf(this.#ofModel, Math.max(...off));
    this.#list.style.setProperty("--sigma", `${(50 * std) / this.#reach}%`);
    const height = (/** @type {number} */ z) => 50 + (50 * (z - mean)) / this.#reach; // % from below
    for (const { index: j, node, band, dot, ghost } of this.#columns) {
      const [low, high] = [-1, 1].map((way) => clipped(height(q.mu[j] + way * q.std[j]), 0));
      Object.assign(band.style, { bottom: `${low}%`, height: `${high - low}%` });
      dot.style.bottom = `${clipped(height(q.mu[j]), 3)}%`; // so far that a dot is seen as a whole
      ghost.style.bottom = `${clipped(height(q.own.mu[j]), 3)}%`;
      const text = minus(`μ = ${q.mu[j].toFixed(2)}, σ = ${q.std[j].toFixed(2)}`);
      Object.assign(node, { title: `z${j}: ${text}`, ariaLabel: `Dimension ${j}: ${text}` });
    }
  }

  clear() {
    this.#shown = null;
    for (const { band, dot, ghost } of this.#columns) {
      band.style.height = "0";
      dot.style.bottom = "-100%";
      ghost.style.bottom = "-100%";
    }
  }
}

/**
 * A percentage that keeps away from both ends.
 *
 * @param {number} percent
 * @param {number} from
 */
const clipped = (percent, from) => Math.min(100 - from, Math.max(from, percent));

/**
 * The column of a dimension.
 *
 * @param {number} index
 * @param {() => void} choose
 * @param {(up: number) => void} drag from −1 at the bottom to 1 at the top
 */
function column(index, choose, drag) {
  const [band, dot, ghost] = ["live-band", "live-dot", "live-ghost"].map((className) => make("i", { className }));
  const field = make("span", {}, ghost, band, dot);
  const node = make("button", { type: "button", className: "live-dim" }, field, make("b", {}, String(index)));
  node.dataset.dim = String(index);
  node.addEventListener("click", choose);
  /** @type {number | null} */
  let from = null;
  node.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return; // a finger or pen scrolls the page
    choose();
    from = event.clientY;
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    if (from === null || (node.dataset.held !== "yes" && Math.abs(event.clientY - from) < STILL)) return;
    node.dataset.held = "yes";
    const { top, height } = field.getBoundingClientRect();
    drag(Math.min(1, Math.max(-1, 1 - (2 * (event.clientY - top)) / height)));
  });
  node.addEventListener("lostpointercapture", () => {
    from = null;
    node.dataset.held = "";
  });
  return { index, node, band, dot, ghost };
}
