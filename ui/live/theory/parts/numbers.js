// The numbers that follow, a row each: its name, a bar on one common scale where it has one, its value, and whether it
// can be computed in general or is known exactly only here.

import { lay } from "../../meter/row.js";
import { scale, widened } from "../../meter/scale.js";
import { make, minus } from "../../shared/page.js";
import { word } from "../../words/word.js";
import { prose } from "../prose.js";

/** @import { Frame } from "../frame.js" */
/**
 * name: of its value on the card; title: with formulas between dollar signs; word: of the glossary, if it is one; sign: before it, where rows add up; term:
 * whose colour it has; kind: exact where it is known only here, in two dimensions or for a linear model.
 *
 * @typedef {{ name: string, title: string, word?: string, sign?: string, term?: string, kind: "general" | "exact" }} Row
 * @typedef {{ from: number, to: number } | null} Length
 */

/** Says that a number can be known exactly only here; what cannot be said of it can be computed for every model. */
export const exactHere = () => word("exact_here", "exact only here");

/** The rows: `node`. */
export class Numbers {
  /** @type {Record<string, HTMLElement>} */
  #bars = {};
  /** @type {import("../../meter/scale.js").Scale | null} */
  #scale = null;
  #ends = [make("span"), make("span")]; // of a scale that does not begin at 0
  #foot;

  /**
   * @param {Frame} frame where the values are shown
   * @param {Row[]} rows
   * @param {{ bars?: boolean }} [options] bars: whether rows have one
   */
  constructor(frame, rows, { bars = false } = {}) {
    const line = (/** @type {Row} */ { name, title, word: of = "", sign = "", term = "", kind }) => {
      const output = make("output", {}, "–");
      output.dataset.value = name;
      const bar = make("i", { hidden: true });
      this.#bars[name] = bar;
      const length = bars ? [make("td", { className: "live-length" }, bar)] : [];
      const mark = make("td", { className: "live-kind" }, ...(kind === "exact" ? [exactHere()] : []));
      const head = of ? make("th", {}, word(of, title)) : prose("th", title);
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
    const ends = make(
      "tr",
      {},
      make("td"),
      make("td"),
      make("td", {}, make("div", { className: "live-ends" }, ...this.#ends)),
    );
    const foot = make("tfoot", { hidden: true, ariaHidden: "true" }, ends);
    this.#foot = foot;
    this.node = make("table", { className: "live-numbers" }, make("tbody", {}, ...rows.map(line)), foot);
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
    this.#layAll(this.#scale, lengths);
  }

  /**
   * Lays the bars on a scale of the card's own, whose ends are shown, and says which way totals go on beyond it.
   *
   * @param {import("../../meter/scale.js").Scale} at
   * @param {Record<string, Length>} lengths by row
   */
  layOn(at, lengths) {
    this.node.style.setProperty("--toward", at.base === at.high ? "to right" : "to left");
    this.#foot.hidden = false;
    for (const [n, end] of [at.low, at.high].entries()) this.#ends[n].textContent = minus(String(Math.round(end)));
    this.#layAll(at, lengths);
  }

  /**
   * @param {import("../../meter/scale.js").Scale} at
   * @param {Record<string, Length>} lengths by row
   */
  #layAll(at, lengths) {
    for (const [name, length] of Object.entries(lengths)) {
      const isKnown = length && Number.isFinite(length.from) && Number.isFinite(length.to);
      lay(this.#bars[name], isKnown ? length : null, at);
    }
  }
}
