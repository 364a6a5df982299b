// What moves the training: Play, a stage back and on, the step, the speed, and the stages to choose from.

import { make, wantsStill } from "../../shared/page.js";
import { LAST } from "./player.js";
import { STAGES } from "./stages.js";

/** @import { Place, Player } from "./player.js" */

const SPEEDS = { "¼ ×": 0.25, "½ ×": 0.5, "1 ×": 1, "2 ×": 2, "4 ×": 4, "8 ×": 8 };
const OWN_KEYS = "input, select"; // have their own use for the arrow keys
const PRESSED = "button, a, input, select"; // and these for the space bar

/** The controls: `node`. */
export class Controls {
  #play = make("button", { type: "button", className: "live-primary live-motion-play" });
  #back = make("button", { type: "button", ariaLabel: "Stage before" }, "‹");
  #next = make("button", { type: "button", ariaLabel: "Next stage" }, "›");
  #step = make("input", { type: "range", min: "0", step: "1", ariaLabel: "Step of the training" });
  #said = make("output", { className: "live-motion-step" });
  #speed = make("select", { ariaLabel: "Speed" });
  /** @type {HTMLButtonElement[]} */
  #stages = [];
  #isCode = false;

  /**
   * @param {Player} player
   * @param {number} steps of the whole training
   * @param {(isCode: boolean) => void} onCode whether the code is to be seen
   */
  constructor(player, steps, onCode) {
    this.player = player;
    this.steps = steps;
    this.onCode = onCode;
    this.#play.onclick = () => this.#toggle();
    this.#back.onclick = () => this.#move(-1);
    this.#next.onclick = () => this.#move(1);
    this.#step.max = String(player.steps.length - 1);
    this.#step.oninput = () => {
      const shot = Number(this.#step.value); // before the player shows where it stands
      player.play(false);
      player.go({ shot, stage: player.place.stage });
    };
    this.#speed.append(
      ...Object.entries(SPEEDS).map(([title, value]) => new Option(title, String(value), value === 1, value === 1)),
    );
    this.#speed.onchange = () => {
      player.speed = Number(this.#speed.value);
      player.onMove(player.place);
    };
    this.#stages = [...STAGES.map(({ name }) => name), "the code"].map((name, n) => {
      const button = make("button", { type: "button" }, name);
      button.onclick = () => this.#choose(n);
      return button;
    });
    const row = make("div", { className: "live-motion-row" }, this.#play, this.#back, this.#next, this.#step);
    row.append(this.#said, this.#speed);
    const rail = make("div", { className: "live-motion-rail", role: "group", ariaLabel: "Stages of a step" });
    rail.append(...this.#stages);
    this.node = make("div", { className: "live-motion-controls" }, row, rail);
  }

  #toggle() {
    const { player } = this;
    if (!wantsStill()) {
      player.play(!player.isPlaying);
      return;
    }
    player.go(player.isAtEnd ? { shot: 0, stage: 0 } : { shot: player.steps.length - 1, stage: LAST });
    if (player.isAtEnd) player.onEnd();
    else this.onCode(false);
  }

  /** @param {1 | -1} way */
  #move(way) {
    if (this.#isCode) this.onCode(false);
    this.player.step(way);
  }

  /** @param {number} n of the stages, or of the code after them */
  #choose(n) {
    const { player } = this;
    player.play(false);
    this.onCode(n > LAST);
    if (n <= LAST) player.go({ shot: player.place.shot, stage: n });
  }

  /**
   * Space plays and pauses, the arrows go by a stage.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const at = /** @type {Element} */ (event.target);
    const ways = { ArrowRight: 1, ArrowLeft: -1 };
    const way = ways[/** @type {keyof typeof ways} */ (event.key)];
    if (event.key === " " && !at.closest(PRESSED)) this.#toggle();
    else if (way && !at.closest(OWN_KEYS)) this.#move(/** @type {1 | -1} */ (way));
    else return;
    event.preventDefault();
  }

  /**
   * @param {Place} place
   * @param {boolean} isCode
   */
  show({ shot, stage, way }, isCode) {
    const { player } = this;
    const { isPlaying, isAtEnd } = player;
    const [still, atEnd] = wantsStill() ? ["To the end", "To the start"] : ["Play", "Play again"];
    this.#isCode = isCode;
    this.#play.textContent = isPlaying ? "Pause" : isAtEnd ? atEnd : still;
    this.#back.disabled = shot === 0 && stage === 0;
    this.#next.disabled = isAtEnd;
    const [step, next = step] = player.steps.slice(shot, shot + 2);
    const now = Math.floor(step + way * (next - step));
    this.#step.value = String(shot);
    this.#step.setAttribute("aria-valuetext", `step ${now} of ${this.steps}`);
    this.#said.textContent = `step ${now} of ${this.steps}${isPlaying ? `, ${pace(player.rate)}` : ""}`;
    for (const [n, button] of this.#stages.entries()) {
      const isNow = isCode ? n > LAST : n === stage;
      if (isNow) button.ariaCurrent = "step";
      else button.removeAttribute("aria-current");
      button.classList.toggle("live-was", !isCode && n < stage);
    }
  }
}

/**
 * How fast it goes, in words.
 *
 * @param {number} rate steps a second
 */
const pace = (rate) => (rate < 1 ? `${(1 / rate).toFixed(rate < 0.1 ? 0 : 1)} s each` : `${rate.toFixed(0)} a second`);
