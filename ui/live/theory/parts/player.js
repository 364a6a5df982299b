// Plays recorded trainings: a slider over their steps, and Play, which goes on by itself; for those who mind motion it
// goes to the end at once.

import { make, wantsStill } from "../../shared/page.js";

/** @import { Lesson } from "../../shared/types.js" */

const SECONDS = 6; // that a whole training takes to play

/** A slider over the records of a training with Play: `node`. */
export class Player {
  /** The place of the record that is shown. */
  place = 0;
  /** @type {number[]} */
  #steps = [1];
  #isPlaying = false;
  #range = make("input", { type: "range", min: 0, max: 0, step: 1, ariaLabel: "Step of the training" });
  #play = make("button", { type: "button" }, "Play");
  #output = make("output");

  /** @param {(place: number, step: number) => void} onMove another record is shown */
  constructor(onMove) {
    this.onMove = onMove;
    this.node = make("div", { className: "live-player" }, this.#play, this.#range, this.#output);
    this.#range.oninput = () => {
      this.stop();
      this.go(Number(this.#range.value));
    };
    this.#play.onclick = () => (this.#isPlaying ? this.stop() : this.play());
  }

  get isAtEnd() {
    return this.place === this.#steps.length - 1;
  }

  /** The step that is shown. */
  get step() {
    return this.#steps[this.place] ?? 1;
  }

  /**
   * Takes the records of a training.
   *
   * @param {Lesson} lesson
   * @param {number} [place] of the record that is shown, the last one where it lies beyond; else that of the same step
   */
  take(lesson, place) {
    const { step } = this;
    this.#steps = lesson.columns.step;
    this.#range.max = String(this.#steps.length - 1);
    this.go(place ?? this.#steps.findLastIndex((it) => it <= step));
  }

  /** @param {number} place */
  go(place) {
    this.place = Math.max(0, Math.min(this.#steps.length - 1, place));
    this.#range.value = String(this.place);
    const text = `step ${this.step.toLocaleString("en")}`;
    this.#output.textContent = text;
    this.#range.setAttribute("aria-valuetext", text);
    this.onMove(this.place, this.step);
  }

  /** Plays from the beginning, or from where it is; jumps to the end for those who mind motion. */
  play() {
    const last = this.#steps.length - 1;
    if (wantsStill()) {
      this.go(last);
      return;
    }
    const from = this.place >= last ? 0 : this.place;
    this.#mark(true);
    const began = performance.now();
    const pace = last / (SECONDS * 1000);
    const next = (/** @type {number} */ now) => {
      if (!this.#isPlaying) return;
      const place = Math.min(last, from + Math.floor(Math.max(0, now - began) * pace));
      if (place !== this.place) this.go(place);
      if (place >= last) this.#mark(false);
      else requestAnimationFrame(next);
    };
    if (from !== this.place) this.go(from);
    requestAnimationFrame(next);
  }

  stop() {
    this.#mark(false);
  }

  /** @param {boolean} isPlaying */
  #mark(isPlaying) {
    this.#isPlaying = isPlaying;
    this.#play.textContent = isPlaying ? "Stop" : "Play";
  }
}
