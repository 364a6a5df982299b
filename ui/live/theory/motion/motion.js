// A recorded training, first a stage at a time, then faster and faster; at its end the code of its loss (T10, T18).

import { addressWith } from "../../page/link.js";
import { failed } from "../../shared/ask.js";
import { make } from "../../shared/page.js";
import { Numbers } from "../parts/numbers.js";
import { prose } from "../prose.js";
import { Board } from "./board.js";
import { Code } from "./code.js";
import { Controls } from "./controls.js";
import { Progress } from "./curve.js";
import { LAST, Player } from "./player.js";
import { fetchRecording } from "./recording.js";
import { near, STAGES } from "./stages.js";

/** @import { Build, Frame } from "../frame.js" */
/** @import { Recording, Shot } from "./recording.js" */
/** @import { Place } from "./player.js" */

/** @type {import("../parts/numbers.js").Row[]} */
const ROWS = [
  { name: "reconstruction", title: "$-\\log p(x|z)$, this image", term: "reconstruction", kind: "general" },
  { name: "kl", title: "KL, this image", sign: "+", term: "kl", kind: "general" },
  { name: "of_image", title: "its loss", sign: "=", term: "loss", kind: "general" },
  { name: "loss", title: "loss, batch mean", term: "loss", kind: "general" },
];

/** @type {Build} */
export function build(frame) {
  /** @type {Motion | null} */
  let motion = null;
  fetchRecording().then((answer) => {
    if (failed(answer)) frame.say(answer.error);
    else motion = new Motion(frame, answer.recording);
  });
  return { hidden: () => motion?.player.play(false) };
}

/** The card's picture. */
class Motion {
  #seen = new Set(); // stages
  #hasRun = false;
  #isCode = false;
  #shown = ""; // what the pictures show
  #says = make("p", { className: "live-motion-says" });
  #cells = make("div", { className: "live-motion-cells" });

  /**
   * @param {Frame} frame
   * @param {Recording} recording
   */
  constructor(frame, recording) {
    this.frame = frame;
    this.recording = recording;
    this.numbers = new Numbers(frame, ROWS, { bars: true });
    this.board = new Board();
    this.code = new Code(frame);
    this.progress = new Progress(recording);
    this.player = new Player(
      recording.shots.map(({ step }) => step),
      { onMove: (place) => this.#show(place), onEnd: () => this.#end() },
    );
    this.controls = new Controls(this.player, recording.curves.loss.length, (isCode) => this.#turn(isCode));
    frame.buttons.prepend(runHere(recording));
    this.picture = make("div", { className: "live-motion" }, this.controls.node, this.#says, this.#cells);
    this.picture.append(this.board.node, this.code.node, this.progress.node);
    frame.picture.append(this.picture);
    frame.picture.addEventListener("keydown", (event) => this.controls.key(event));
    this.#show(this.player.place);
  }

  /** @param {boolean} isCode whether the code stands in place of the machine */
  #turn(isCode) {
    this.#isCode = isCode;
    this.#shown = "";
    this.#show(this.player.place);
  }

  #end() {
    this.#hasRun = true;
    this.#turn(true);
    this.#settle();
  }

  #settle() {
    if (this.#hasRun && this.#seen.size === STAGES.length) this.frame.done();
  }

  /** @param {Place} place */
  #show(place) {
    if (this.player.isPlaying && !this.picture.checkVisibility()) {
      this.player.play(false); // another tab of the page is open
      return;
    }
    const { shot: n, stage, way } = place;
    const shot = this.recording.shots[n];
    const next = this.recording.shots[n + 1]?.step ?? shot.step;
    if (this.player.isPlaying) this.#isCode = false;
    this.#seen.add(stage);
    this.#settle();
    this.controls.show(place, this.#isCode);
    this.progress.show(
      stage < 4 ? shot.step - 1 : shot.step + way * (next - shot.step),
      stage === LAST ? n : Math.max(0, n - 1),
    );
    const isFast = this.player.isPlaying && stage === LAST;
    const shown = `${n} ${stage} ${isFast} ${this.#isCode}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.board.node.hidden = this.#isCode;
    this.code.node.hidden = !this.#isCode;
    this.board.show(shot, stage, stage > 1 && !isFast);
    this.code.show(shot, this.recording);
    this.#say(shot, stage);
    this.#count(shot);
  }

  /**
   * @param {Shot} shot
   * @param {number} stage
   */
  #say(shot, stage) {
    const { says, cells } = STAGES[stage];
    this.#says.textContent = this.#isCode ? CODE : says;
    this.#cells.replaceChildren(...(this.#isCode ? [] : cells(shot, this.recording).map(cell)));
    this.#cells.dataset.stage = String(stage);
    this.#cells.hidden = this.#isCode;
  }

  /**
   * The numbers of the step that is shown, rounded so that they add up as they are read.
   *
   * @param {Shot} shot
   */
  #count(shot) {
    const [error, kl] = [near(shot.error), near(shot.kl)];
    const { curves } = this.recording;
    const at = shot.step - 1;
    const [batchError, batchKl] = [near(curves.error[at]), near(curves.kl[at])];
    const loss = curves.loss[at];
    this.frame.show({ reconstruction: error, kl, of_image: error + kl, loss, gain: -loss, sum: batchError + batchKl });
    this.frame.show({ after: shot.after.loss, noise: `(${shot.eps.map((it) => it.toFixed(2)).join(", ")})` });
    this.numbers.lay({
      reconstruction: { from: 0, to: error },
      kl: { from: error, to: error + kl },
      of_image: { from: 0, to: error + kl },
      loss: { from: 0, to: loss },
    });
  }
}

const CODE =
  "That is all: these six lines compute the loss of every step. Point at one: its number is of the step shown.";

/** @param {import("./stages.js").Cell} given */
function cell({ label, value = "", parts, share }) {
  const texts = parts ?? [{ text: value }];
  const shown = texts.map(({ text, term }) => make("span", { className: term ? `term-${term}` : "" }, text));
  const output = make("output", {}, ...shown.flatMap((node, n) => (n ? [" ", node] : [node])));
  const node = make("div", {}, prose("span", label), output);
  if (share === undefined) return node;
  const bar = make("i");
  bar.style.width = `${100 * share}%`;
  node.append(make("div", { className: "live-motion-bar" }, bar));
  return node;
}

/** The way to the same training on this server. @param {Recording} recording */
function runHere({ settings }) {
  const query = new URLSearchParams({ tab: "train" });
  for (const [name, value] of Object.entries(settings)) query.set(name, String(value));
  return make("a", { className: "live-run-here", href: addressWith(query, "") }, "Run it here, in Train →");
}
