// Two trainings that differ in one thing: pixels summed, or averaged, which is β = 784 (T18).

import { failed } from "../../shared/ask.js";
import { PIXELS } from "../../shared/given.js";
import { make } from "../../shared/page.js";
import { lessonOf, runHere } from "../parts/lesson.js";
import { Player } from "../parts/player.js";
import { Slider } from "../parts/slider.js";
import { Both, Pair, Terms, termsAt } from "./compare.js";

/** @import { Lesson } from "../../shared/types.js" */
/** @import { Place } from "../deck.js" */
/** @import { Frame } from "../frame.js" */

const NAMES = ["trained with the sum", "trained with the mean"];

/** @type {import("./compare.js").Row[]} */
const ROWS = [
  { name: "reconstruction", title: "$-\\log p(x|z)$, summed", term: "reconstruction" },
  { name: "kl", title: "KL", term: "kl" },
  { name: "elbo", title: "loss with the sum, $n = 1$", term: "elbo" },
  { name: "divided", title: "loss with this $n$", term: "elbo" },
];

/**
 * @param {Frame} frame
 * @param {Place} component
 */
export function build(frame, component) {
  const both = new Both(ROWS);
  both.name("sum", "mean");
  const verdict = make("p", { className: "live-balance", role: "status" });
  const [pair, terms] = [new Pair(), new Terms()];
  /** @type {Lesson[] | null} */
  let lessons = null;
  const follow = () => {
    if (!lessons) return;
    show(frame, lessons, player.step, slider.value, verdict);
    if (player.isAtEnd && Math.round(slider.value) === PIXELS) frame.done();
  };
  const slider = new Slider({
    label: "divide the sum by $n$", said: "n: by what the sum over pixels is divided", low: 1, high: PIXELS, value: 1,
    isLog: true, digits: 0,
    onInput: () => follow(),
  }); // biome-ignore format: its bounds on one line
  const player = new Player((_, step) => {
    pair.at(step);
    terms.at(step);
    follow();
  });
  frame.numbers.append(both.node, slider.node, verdict);
  frame.buttons.prepend(runHere(component, () => "mean"));
  frame.picture.append(pair.node, player.node, terms.node);
  frame.picture.classList.add("live-lesson");
  const load = async () => {
    const found = await Promise.all(["plain", "mean"].map((name) => lessonOf(frame.server, name)));
    const wrong = found.find(failed);
    if (wrong) frame.say(`The recorded trainings did not come. ${wrong.error}`);
    else begin(/** @type {Lesson[]} */ (found));
  };
  const begin = (/** @type {Lesson[]} */ found) => {
    lessons = found;
    frame.say("");
    pair.take(found, NAMES);
    terms.take(found, NAMES);
    player.take(found[1], frame.isDone ? Number.POSITIVE_INFINITY : 0);
  };
  return { shown: () => lessons || load(), hidden: () => player.stop() };
}

/**
 * Both losses of both trainings at a step, and which of them is lower.
 *
 * @param {Frame} frame
 * @param {Lesson[]} lessons
 * @param {number} step
 * @param {number} n by what the sum is divided
 * @param {HTMLElement} verdict
 */
function show(frame, lessons, step, n, verdict) {
  const [sum, mean] = lessons.map((lesson) => termsAt(lesson, step));
  const whole = Math.round(n);
  const divided = (/** @type {{ reconstruction: number, kl: number }} */ it) => it.reconstruction / whole + it.kl;
  const [a, b] = [divided(sum), divided(mean)];
  frame.show({
    reconstruction: sum.reconstruction, reconstruction_other: mean.reconstruction,
    kl: sum.kl, kl_other: mean.kl,
    elbo: sum.elbo, elbo_other: mean.elbo,
    divided: a, divided_other: b,
    loss_sum: sum.elbo, loss_mean: sum.reconstruction / PIXELS + sum.kl,
    loss_784: sum.reconstruction + PIXELS * sum.kl,
  }); // biome-ignore format: a pair on each line
  const lower =
    a < b ? "The digits have the lower loss" : b < a ? "The blur has the lower loss" : "Both have the same loss";
  const name = { 1: ", the sum", [PIXELS]: ", the mean" }[whole] ?? "";
  verdict.textContent = `${lower}. n = ${whole} is β = ${whole}${name}.`;
  verdict.dataset.lower = a < b ? "sum" : b < a ? "mean" : "";
}
