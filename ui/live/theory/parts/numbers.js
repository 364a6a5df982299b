// The numbers that follow, a row each: its name, a bar on one common scale where it has one, its value, and whether it
// can be computed in general or is known exactly only here.

import { lay } from "../../meter/row.js";
import { scale, widened } from "../../meter/scale.js";
import { make } from "../../shared/page.js";
import { prose } from "../prose.js";

/** @import { Frame } from "../frame.js" */
/**
 * name: of its value on the card; title: with formulas between dollar signs; sign: before it, where rows add up; term:
 * whose colour it has; kind: exact where it is known only here, in two dimensions or for a linear model.
 *
 * @typedef {{ name: string, title: string, sign?: string, term?: string, kind: "general" | "exact" }} Row
 * @typedef {{ from: number, to: number } | null} Length
 */

const KINDS = {
  general: { text: "", title: "Can be computed for every model." },
  exact: { text: "exact only here", title: "Known exactly only in two dimensions or for a linear model." },
};

/** The rows: `node`. */
export class Numbers {
  /** @type {Record<string, HTMLElement>} */
  #bars = {};
  /** @type {import("../../meter/scale.js").Scale | null} */
  #scale = null;

  /**
   * @param {Frame} frame where the values are shown
   * @param {Row[]} rows
   * @param {{ bars?: boolean }} [options] bars: whether rows have one
   */
  constructor(frame, rows, { bars = false } = {}) {
    const line = (/** @type {Row} */ { name, title, sign = "", term = "", kind }) => {
      const output = make("output", {}, "–");
      output.dataset.value = name;
      const bar = make("i", { hidden: true });
      this.#bars[name] = bar;
      const { text, title: says } = KINDS[kind];
      const length = bars ? [make("td", { className: "live-length" }, bar)] : [];
      const mark = make("td", { className: "live-kind", title: says }, text);
      const head = prose("th", title);
      const node = make(
        "tr",
        {},
        make("td", { className: "live-sign" }, sign),
        head,
        ...length,
        make("td", {}, output),
        mark,
      );
      node.dataset.kind = kind;
      if (term) node.className = `term-${term}`;
      return node;
    };
    this.node = make("table", { className: "live-numbers" }, make("tbody", {}, ...rows.map(line)));
    frame.numbers.append(this.node);
  }

  /** The next bars may have another scale. */
  rescale() {
    this.#scale = null;
  }

  /**
   * Lays the bars on one scale, which is kept as long as it holds them.
   *
   * @param {Record<string, Length>} lengths by row
   */
  lay(lengths) {
    const ends = Object.values(lengths)
      .flatMap((it) => (it ? [it.from, it.to] : []))
      .filter(Number.isFinite);
    this.#scale = this.#scale ? widened(this.#scale, ends) : scale(ends);
    this.layOn(this.#scale, lengths);
  }

  /**
   * Lays the bars on a scale of the card's own, and says which way totals go on beyond it.
   *
   * @param {import("../../meter/scale.js").Scale} at
   * @param {Record<string, Length>} lengths by row
   */
  layOn(at, lengths) {
    this.node.style.setProperty("--toward", at.base === at.high ? "to right" : "to left");
    for (const [name, length] of Object.entries(lengths)) {
      const isKnown = length && Number.isFinite(length.from) && Number.isFinite(length.to);
      lay(this.#bars[name], isKnown ? length : null, at);
    }
  }
}
