// A recorded training that ships with the app: its records, its pictures, and a button that trains it here.

import { answerOf, failed, fileOf } from "../../shared/ask.js";
import { make, penOf, SIDE } from "../../shared/page.js";
import { FRAME_SIDE } from "../../shared/vocabulary.js";

/** @import { Answer, Lesson } from "../../shared/types.js" */
/** @import { Functions, Place } from "../deck.js" */

const ROWS = 4; // at the bottom of a frame: samples, samples, held-out images, their reconstructions

/** @typedef {"samples" | "more samples" | "images" | "reconstructions"} Row */
/** @type {Row[]} */
const NAMES = ["samples", "more samples", "images", "reconstructions"];

/** @type {Map<string, Promise<Answer<Lesson>>>} */
const lessons = new Map(); // by name
/** @type {Map<string, Promise<ImageBitmap | null>>} */
const frames = new Map(); // by address

/**
 * A recorded training, asked for once.
 *
 * @param {Pick<Functions, "lesson">} server
 * @param {string} name as in checkpoints/lessons.py
 */
export function lessonOf(server, name) {
  const known = lessons.get(name);
  if (known) return known;
  const asking = answerOf(server.lesson({ name }));
  lessons.set(name, asking);
  asking.then((answer) => failed(answer) && lessons.delete(name)); // it may be asked for again
  return asking;
}

/**
 * The place of the last record up to a step; 0 before the first.
 *
 * @param {number[]} steps ascending
 * @param {number} step
 */
export const placeOf = (steps, step) =>
  Math.max(
    0,
    steps.findLastIndex((it) => it <= step),
  );

/**
 * The last value of a column that is known at a record: held-out figures come once an epoch. Null before the first.
 *
 * @param {Lesson} lesson
 * @param {string} column such as test_elbo
 * @param {number} place of the record
 */
export function valueAt({ columns }, column, place) {
  for (let n = place; n >= 0; n -= 1) if (columns[column][n] !== null) return columns[column][n];
  return null;
}

/**
 * The frame of a training at a step, or the one before; null where it did not come.
 *
 * @param {Lesson} lesson
 * @param {number} step
 */
export function frameAt(lesson, step) {
  const at = lesson.frames[placeOf(lesson.frames, step)];
  const { href } = new URL(`../../lessons/${lesson.name}/${at}.jpg`, import.meta.url);
  const known = frames.get(href);
  if (known) return known;
  const coming = fetched(href);
  frames.set(href, coming);
  coming.then((image) => image || frames.delete(href));
  return coming;
}

/** @param {string} href */
async function fetched(href) {
  const answer = await fileOf(new URL(href));
  return failed(answer) ? null : createImageBitmap(answer.file).catch(() => null);
}

/**
 * Fetches all frames of a training before they are wanted.
 *
 * @param {Lesson} lesson
 */
export const fetchFrames = (lesson) => Promise.all(lesson.frames.map((step) => frameAt(lesson, step)));

/** Rows of pictures of a training, one step at a time: `node`. */
export class Pictures {
  #asked = 0;

  /**
   * @param {Row[]} rows from the top
   * @param {{ count?: number, label: string }} options count: pictures in a row, 20 at most
   */
  constructor(rows, { count = 10, label }) {
    this.rows = rows;
    this.count = Math.min(count, FRAME_SIDE);
    this.node = make("canvas", { className: "live-lesson-pictures", role: "img", ariaLabel: label });
    [this.node.width, this.node.height] = [this.count * SIDE, rows.length * SIDE];
  }

  /**
   * Shows what the training made at a step; a late answer is dropped.
   *
   * @param {Lesson} lesson
   * @param {number} step
   */
  async show(lesson, step) {
    this.#asked += 1;
    const mine = this.#asked;
    const image = await frameAt(lesson, step);
    if (!image || mine !== this.#asked) return;
    const top = image.height - ROWS * SIDE;
    const pen = penOf(this.node);
    for (const [n, row] of this.rows.entries()) {
      const from = top + NAMES.indexOf(row) * SIDE;
      for (let k = 0; k < this.count; k += 1) {
        const x = Math.floor((k * FRAME_SIDE) / this.count) * SIDE; // evenly, so that every digit is among them
        pen.drawImage(image, x, from, SIDE, SIDE, k * SIDE, n * SIDE, SIDE, SIDE);
      }
    }
    Object.assign(this.node.dataset, { lesson: lesson.name, step: lesson.frames[placeOf(lesson.frames, step)] });
  }
}

/**
 * A button that fills the Train form with the settings of a recorded training, starts it, and opens Train.
 *
 * @param {Place} component
 * @param {() => string} name of the recorded training
 */
export function runHere(component, name) {
  const node = make("button", { type: "button", className: "live-run-here" }, "Run it here");
  node.onclick = () => component.trigger("run_lesson", { name: name() });
  return node;
}
