// Two recorded trainings beside each other: their numbers in a table, their pictures in two columns, their curves.

import { count, make } from "../../shared/page.js";
import { ASLEEP } from "../../shared/vocabulary.js";
import { Curves } from "../parts/curves.js";
import { fetchFrames, Pictures, placeOf } from "../parts/lesson.js";
import { prose } from "../prose.js";

/** @import { Lesson } from "../../shared/types.js" */
/**
 * name: of its values on the card, where the second has "_other" behind it; title: with formulas; term: its colour.
 *
 * @typedef {{ name: string, title: string, sign?: string, term?: string }} Row
 */

const NARROW = 600; // px: a screen for which a flat chart would be too low
const PICTURES = 5; // in a row
const SETTLED = 60; // the step from which the axis of values holds what there is: before it losses may be enormous

const COLUMNS = { elbo: "−ELBO", reconstruction: "−reconstruction", kl: "KL" };

/** The numbers of both: `node`. */
export class Both {
  /** @type {[HTMLElement, HTMLElement]} */
  #heads = [make("span"), make("span")];

  /** @param {Row[]} rows */
  constructor(rows) {
    const cell = (/** @type {string} */ name) => {
      const output = make("output", {}, "–");
      output.dataset.value = name;
      return make("td", {}, output);
    };
    const line = (/** @type {Row} */ { name, title, sign = "", term = "" }) => {
      const head = prose("th", title);
      head.setAttribute("scope", "row");
      const node = make(
        "tr",
        {},
        make("td", { className: "live-sign" }, sign),
        head,
        cell(name),
        cell(`${name}_other`),
      );
      node.dataset.kind = "general";
      if (term) node.className = `term-${term}`;
      return node;
    };
    const unit = make("td", { className: "live-unit" }, "nats per training image");
    const heads = this.#heads.map((head) => make("th", { scope: "col", className: "live-head" }, head));
    const top = make("thead", {}, make("tr", {}, make("td", { className: "live-sign" }), unit, ...heads));
    this.node = make("table", { className: "live-numbers live-both" }, top, make("tbody", {}, ...rows.map(line)));
  }

  /**
   * What the two are called.
   *
   * @param {string} first
   * @param {string} second
   */
  name(first, second) {
    this.#heads[0].textContent = first;
    this.#heads[1].textContent = second;
  }
}

/**
 * The terms of a training at the last record up to a step, with two digits that add up as they are read.
 *
 * @param {Lesson} lesson
 * @param {number} step
 */
export function termsAt(lesson, step) {
  const place = placeOf(lesson.columns.step, step);
  const two = (/** @type {string} */ column) => Number((lesson.columns[column][place] ?? Number.NaN).toFixed(2));
  const [reconstruction, kl] = [two("train_reconstruction"), two("train_kl")];
  const awake = lesson.kl[place].filter((it) => it >= ASLEEP).length;
  return { reconstruction, kl, elbo: reconstruction + kl, used: `${awake} of ${lesson.latent_dim}` };
}

/** The pictures of both in two columns: `node`. */
export class Pair {
  #heads = [0, 1].map(() => make("strong"));
  #pairs = [0, 1].map(() => new Pictures(["images", "reconstructions"], { count: PICTURES, label: PAIRS }));
  #samples = [0, 1].map(() => new Pictures(["samples", "more samples"], { count: PICTURES, label: SAMPLES }));
  /** @type {Lesson[]} */
  #lessons = [];

  constructor() {
    const column = (/** @type {number} */ n) =>
      make(
        "div",
        { className: "live-made-by" },
        this.#heads[n],
        make("figure", {}, this.#pairs[n].node, make("figcaption", {}, "test images, and what it makes of them")),
        make("figure", {}, this.#samples[n].node, make("figcaption", {}, "samples: z from the prior, decoded")),
      );
    this.node = make("div", { className: "live-two-runs" }, column(0), column(1));
  }

  /**
   * @param {Lesson[]} lessons two
   * @param {string[]} names what they are called
   */
  take(lessons, names) {
    this.#lessons = lessons;
    for (const [n, name] of names.entries()) this.#heads[n].textContent = name;
    for (const lesson of lessons) fetchFrames(lesson);
  }

  /** @param {number} step that is shown */
  at(step) {
    for (const [n, lesson] of this.#lessons.entries()) {
      this.#pairs[n].show(lesson, step);
      this.#samples[n].show(lesson, step);
    }
  }
}
const PAIRS = "Test images, and their reconstructions below them";
const SAMPLES = "Samples from the prior";

/** The curves of a training in full, and of the one that it is compared with faintly: `node`. */
export class Terms {
  #bold = make("strong");
  #faint = make("span");
  #about = make("span");
  #caption = make("figcaption");

  constructor() {
    const ratio = innerWidth < NARROW ? 0.6 : 0.36;
    this.curves = new Curves({ label: "The terms over the steps of the training", ratio, grows: true });
    this.#caption.append("bold: ", this.#bold, " · faint: ", this.#faint, this.#about);
    this.node = make("figure", { className: "live-terms-of" }, this.curves.node, this.#caption);
  }

  /**
   * @param {Lesson[]} lessons the one that it is compared with, and the training
   * @param {string[]} names
   */
  take([against, lesson], [usual, name]) {
    this.#bold.textContent = name;
    this.#faint.textContent = usual;
    this.#about.textContent = ` · recorded with ${count(lesson.latent_dim, "dimension")}`;
    const of = (/** @type {Lesson} */ it, /** @type {boolean} */ isFaint) =>
      Object.entries(COLUMNS).map(([term, title]) => ({
        lesson: it,
        column: `train_${term}`,
        className: `term-${term}`,
        title: isFaint ? "" : title,
        isFaint,
      }));
    const values = [lesson, against].flatMap(({ columns }) =>
      Object.keys(COLUMNS).flatMap((term) => columns[`train_${term}`].filter((_, n) => columns.step[n] >= SETTLED)),
    );
    const known = values.filter((it) => it !== null);
    this.curves.show([...of(against, true), ...of(lesson, false)], [Math.min(0, ...known), 1.12 * Math.max(...known)]);
  }

  /** @param {number} step that is shown */
  at(step) {
    this.curves.at(step);
  }
}
