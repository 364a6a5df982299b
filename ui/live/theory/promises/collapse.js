// Collapse: recorded trainings with a larger and larger β, until the dimensions of z fall asleep.

import { failed } from "../../shared/ask.js";
import { make } from "../../shared/page.js";
import { set, svg } from "../../shared/svg.js";
import { ASLEEP } from "../../shared/vocabulary.js";
import { fetchFrames, lessonOf, Pictures, placeOf, runHere, valueAt } from "../parts/lesson.js";
import { Player } from "../parts/player.js";
import { LEFT, Plot } from "../parts/plot.js";

/** @import { Lesson } from "../../shared/types.js" */
/** @import { Given, Part } from "./promises.js" */

const LESSONS = { "β = 1": "plain", "β = 4": "beta-4", "β = 10": "beta-10", "β = 784": "mean" };

/** @type {Part} */
export const collapse = {
  title: "Collapse",
  claim: "Each nat of KL must pay for itself. Raise β and more of the ten dimensions stop paying: they fall asleep.",
  rows: [
    { name: "asleep", title: `dimensions asleep (KL < ${ASLEEP})`, kind: "general" },
    { name: "lesson_kl", title: "KL, training images", term: "kl", kind: "general" },
    { name: "lesson_reconstruction", title: "reconstruction, held-out", term: "reconstruction", kind: "general" },
    { name: "lesson_elbo", title: "ELBO at β = 1, held-out", term: "elbo", kind: "general" },
  ],
  build,
};

/** @param {Given} given */
function build({ frame, component, place, acted }) {
  /** @type {Lesson | null} */
  let lesson = null;
  const { plot, lay } = bars();
  const pictures = new Pictures(["images", "reconstructions"], {
    count: 10, label: "held-out images, and below them their reconstructions",
  }); // biome-ignore format: one line
  const player = new Player((_, step) => {
    if (!lesson) return;
    const n = placeOf(lesson.columns.step, step);
    const kl = lesson.kl[n];
    lay(kl);
    pictures.show(lesson, step);
    const held = (/** @type {string} */ name) => {
      const value = valueAt(/** @type {Lesson} */ (lesson), name, n);
      return value === null ? "" : -value;
    };
    frame.show({
      asleep: `${kl.filter((value) => value < ASLEEP).length} of ${kl.length}`,
      lesson_kl: kl.reduce((sum, value) => sum + value, 0),
      lesson_reconstruction: held("test_reconstruction"), lesson_elbo: held("test_elbo"),
    }); // biome-ignore format: one line a kind
  });
  const note = make("p", { className: "live-found" });
  const choose = async (/** @type {string} */ name) => {
    for (const button of buttons) button.ariaPressed = String(button.value === name);
    const answer = await lessonOf(frame.server, name);
    if (buttons.find(({ ariaPressed }) => ariaPressed === "true")?.value !== name) return;
    if (failed(answer)) {
      note.textContent = answer.error;
      return;
    }
    note.textContent = answer.settings;
    lesson = answer;
    fetchFrames(answer);
    player.take(answer, Number.POSITIVE_INFINITY);
  };
  const press = (/** @type {string} */ name) => {
    acted();
    choose(name);
  };
  const buttons = Object.entries(LESSONS).map(([title, name]) =>
    make("button", { type: "button", value: name, onclick: () => press(name) }, title),
  );
  const run = runHere(component, () => lesson?.name ?? "plain");
  const played = make("div", { className: "live-played" }, player.node, run);
  place.append(make("div", { className: "live-choice-row" }, ...buttons), plot.node, played, pictures.node, note);
  choose("plain");
  return { hidden: () => player.stop() };
}

/** The KL of each dimension, the largest first. */
function bars() {
  const plot = new Plot({ x: [-0.2, 10], y: [0, 4], ratio: 0.44, left: LEFT, label: "KL of each dimension" });
  plot.valueAxis("KL of each dimension, nats");
  const nodes = svg("g");
  plot.layer.append(nodes);
  /** @type {number[]} */
  let kl = [];
  plot.add(() => {
    plot.x = [-0.5, Math.max(1, kl.length)];
    const width = 0.7 * (plot.px(1) - plot.px(0));
    nodes.replaceChildren(
      ...kl.map((value, n) => {
        const bar = svg("rect", { class: value < ASLEEP ? "live-asleep" : "live-bar", rx: 2, width });
        const y = Math.min(plot.py(value), plot.py(0) - 2);
        set(bar, { x: plot.px(n + 0.15), y, height: plot.py(0) - y });
        return bar;
      }),
    );
  });
  const lay = (/** @type {number[]} */ values) => {
    kl = [...values].sort((a, b) => b - a);
    plot.draw();
  };
  return { plot, lay };
}
