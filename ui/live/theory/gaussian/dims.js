// The KL of each latent dimension of the image in hand as a bar; one that is pressed gives its q to the plot (T8, T16).

import { make, minus } from "../../shared/page.js";
import { prose } from "../prose.js";

/** @import { Known } from "../image.js" */
/** @typedef {{ index: number, kl: number, mu: number, std: number }} Dim */

const MOST = 11; // bars with room for their names; the rest is one bar
const NAMED = 8; // bars with room for their number

/** The bars: `node`. */
export class Dims {
  #bars = make("div", { className: "live-kl-bars" });

  /** @param {(dim: Dim) => void} choose */
  constructor(choose) {
    this.choose = choose;
    const sum = make("output", {}, "–");
    sum.dataset.value = "kl_image";
    const title = make("span", {}, "KL of each latent dimension of this image: press one to see its q above.");
    const whole = make("p", { className: "live-kl-sum term-kl" }, prose("span", "$\\sum_j \\mathrm{KL}_j$ = "), sum);
    this.node = make("figure", { className: "live-kl-dims" }, make("figcaption", {}, title), this.#bars, whole);
  }

  /** @param {Known | null} known */
  show(known) {
    if (!known) {
      this.#bars.replaceChildren();
      return;
    }
    const { q, looked } = known;
    const dims = looked.kl_per_dim.map((kl, index) => ({ index, kl, mu: q.mu[index], std: q.std[index] }));
    const sorted = dims.toSorted((a, b) => b.kl - a.kl);
    const shown = sorted.slice(0, dims.length > MOST + 1 ? MOST : dims.length).sort((a, b) => a.index - b.index);
    const rest = sorted.slice(shown.length).reduce((sum, { kl }) => sum + kl, 0);
    const most = Math.max(1e-9, rest, ...shown.map(({ kl }) => kl));
    /** @type {HTMLElement[]} */
    const bars = shown.map((dim) => this.#bar(dim, dim.kl / most, shown.length <= NAMED));
    if (shown.length < dims.length) bars.push(others(dims.length - shown.length, rest, rest / most));
    this.#bars.replaceChildren(...bars);
    this.#bars.classList.toggle("live-few", shown.length <= NAMED);
  }

  /**
   * @param {Dim} dim
   * @param {number} share of the longest bar
   * @param {boolean} isNamed
   */
  #bar(dim, share, isNamed) {
    const value = minus(dim.kl.toFixed(2));
    const node = make("button", { type: "button", ariaLabel: `Dimension ${dim.index}: ${value} nats. Show its q` });
    node.title = `z${dim.index}: KL ${value} nats, μ ${minus(dim.mu.toFixed(2))}, σ ${dim.std.toFixed(2)}`;
    const name = isNamed
      ? make("small", {}, "z", make("sub", {}, String(dim.index)))
      : make("small", {}, String(dim.index));
    node.append(make("b", {}, isNamed ? value : ""), bar(share), name);
    node.onclick = () => this.choose(dim);
    return node;
  }
}

/** @param {number} share */
function bar(share) {
  const node = make("i");
  node.style.setProperty("--share", String(share));
  return make("span", {}, node);
}

/**
 * The bar of all dimensions that have none of their own.
 *
 * @param {number} count
 * @param {number} kl
 * @param {number} share
 */
function others(count, kl, share) {
  const node = make("div", { title: `The other ${count}: ${kl.toFixed(2)} nats together` });
  node.append(make("b"), bar(share), make("small", {}, `+${count}`));
  return node;
}
