// Two recorded trainings beside each other: one whose gradient passes through z, and one that is detached there.

import { failed } from "../../shared/ask.js";
import { make, minus } from "../../shared/page.js";
import { Curves } from "../parts/curves.js";
import { fetchFrames, lessonOf, Pictures, runHere, valueAt } from "../parts/lesson.js";
import { Numbers } from "../parts/numbers.js";
import { Player } from "../parts/player.js";

/** @import { Lesson } from "../../shared/types.js" */
/** @import { Place } from "../deck.js" */
/** @import { Frame } from "../frame.js" */

const COUNT = 10; // pictures in a row
const LAST = 10; // records whose mean is where −ELBO has come to

/** The trainings: `node`, and `numbers` among those of the card. */
export class Detached {
  /** @type {Record<"plain" | "detached", Lesson> | null} */
  #lessons = null;
  #curves = new Curves({ label: "−ELBO over the steps", ratio: 0.44, yTitle: "−ELBO, nats per image" });
  #plain = new Pictures(["images", "reconstructions"], { count: COUNT, label: "test images and reconstructions" });
  #stopped = new Pictures(["reconstructions"], { count: COUNT, label: "reconstructions, detached" });
  #player = new Player((place, step) => this.#at(place, step));

  /**
   * @param {Frame} frame
   * @param {Place} component
   */
  constructor(frame, component) {
    this.frame = frame;
    this.numbers = new Numbers(frame, ROWS);
    this.run = runHere(component, () => "detached");
    const caption = (/** @type {string} */ text) => make("p", { className: "live-caption" }, text);
    this.node = make(
      "div",
      { className: "live-two-trainings" },
      this.#curves.node,
      this.#player.node,
      caption("Test images, and what the model makes of them"),
      this.#plain.node,
      caption("and with z detached"),
      this.#stopped.node,
    );
  }

  /** Asks for the trainings, once, and shows them at their beginning. */
  async begin() {
    if (this.#lessons) return;
    const { server } = this.frame;
    const [plain, detached] = await Promise.all([lessonOf(server, "plain"), lessonOf(server, "detached")]);
    if (failed(plain) || failed(detached)) {
      this.frame.say(failed(plain) ? plain.error : /** @type {{ error: string }} */ (detached).error);
      return;
    }
    this.#lessons = { plain, detached };
    for (const lesson of [plain, detached]) fetchFrames(lesson);
    this.#curves.show(
      [
        { lesson: detached, column: "train_elbo", className: "live-of-score", title: "z detached" },
        { lesson: plain, column: "train_elbo", className: "live-of-pathwise", title: "through z" },
      ],
      [90, 220],
    );
    this.#player.take(detached);
  }

  stop() {
    this.#player.stop();
  }

  /**
   * @param {number} place of the record
   * @param {number} step
   */
  #at(place, step) {
    const lessons = this.#lessons;
    if (!lessons) return;
    this.#curves.at(step);
    this.#plain.show(lessons.plain, step);
    this.#stopped.show(lessons.detached, step);
    const { step: steps } = lessons.plain.columns;
    const beside = Math.max(
      0,
      steps.findLastIndex((it) => it <= step),
    );
    this.frame.show({
      through_elbo: valueAt(lessons.plain, "train_elbo", beside),
      through_kl: valueAt(lessons.plain, "train_kl", beside),
      detached_elbo: valueAt(lessons.detached, "train_elbo", place),
      detached_kl: valueAt(lessons.detached, "train_kl", place),
    });
    if (place < lessons.detached.columns.step.length - 1) return;
    const all = lessons.detached.columns.train_elbo.filter((it) => it !== null);
    const last = all.slice(-LAST).reduce((sum, it) => sum + it, 0) / LAST;
    const [from, to] = [all[0], last].map((it) => minus(it.toFixed(1)));
    this.frame.say(`Detached, −ELBO fell from ${from} to ${to}: the mean picture was learned.`);
    this.frame.done();
  }
}

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "through_elbo", title: "−ELBO, through z", term: "elbo", kind: "general" },
  { name: "through_kl", title: "KL, through z", term: "kl", kind: "general" },
  { name: "detached_elbo", title: "−ELBO, z detached", term: "elbo", kind: "general" },
  { name: "detached_kl", title: "KL, z detached", term: "kl", kind: "general" },
];
