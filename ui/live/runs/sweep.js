// The dialog that starts several runs at once: what varies, its values, and how many seeds each value gets.

import { debounced } from "../shared/ask.js";
import { duration, make } from "../shared/page.js";
import { MOST_SEEDS, SETTINGS, VARIED } from "../shared/vocabulary.js";

/** @import { Swept, SweepQuestion } from "../shared/types.js" */

const REST = 250; // ms without a change after which the server is asked
const ABOUT =
  "Trains several runs that differ in one setting, and shows them in the rate–distortion plane. " +
  "All other settings are those of the Train tab.";

/** A dialog; its answers come by answer(). */
export class Sweep {
  #asked = 0; // numbers the questions: a late answer to an old one is dropped
  #soon = debounced(() => this.#ask("plan"), REST);

  /**
   * @param {{ ask: (how: "plan" | "start", question: SweepQuestion) => void, started: (runs: string[]) => void }} does
   */
  constructor(does) {
    this.does = does;
    this.vary = make(
      "select",
      { className: "live-field" },
      ...Object.keys(VARIED).map((value) => option(value, SETTINGS[value].title)),
    );
    this.values = make("input", { type: "text", autocomplete: "off", className: "live-field" });
    const seeds = Array.from({ length: MOST_SEEDS }, (_, i) => option(String(i + 1), String(i + 1)));
    this.seeds = make("select", { className: "live-field" }, ...seeds);
    this.plan = make("p", { role: "status", className: "live-plan" });
    this.start = make("button", { type: "button", className: "live-primary" }, "Start");
    const cancel = make("button", { type: "button" }, "Cancel");
    this.node = make("dialog", { className: "live-dialog live-sweep", ariaLabel: "Sweep" });
    this.node.append(
      make("h2", {}, "Sweep"),
      make("p", {}, ABOUT),
      make("label", {}, "What varies", this.vary),
      make("label", {}, "Its values, with spaces between them", this.values),
      make("label", {}, "Seeds for each value", this.seeds),
      this.plan,
      make("div", { className: "live-buttons" }, this.start, cancel),
    );
    this.vary.onchange = () => {
      this.values.value = VARIED[this.vary.value];
      this.#soon();
    };
    this.values.oninput = () => this.#soon();
    this.seeds.onchange = () => this.#soon();
    this.values.onkeydown = ({ key }) => key === "Enter" && this.#ask("start");
    this.start.onclick = () => this.#ask("start");
    cancel.onclick = () => this.node.close();
    this.values.value = VARIED[this.vary.value];
  }

  open() {
    this.node.showModal();
    this.values.focus();
    this.#ask("plan");
  }

  /** @param {"plan" | "start"} how */
  #ask(how) {
    this.#soon.cancel();
    this.#asked += 1;
    if (how === "start") this.start.disabled = true; // until the answer is there
    if (!this.plan.textContent) this.#say("How long that takes here is being measured …");
    const question = { vary: this.vary.value, values: this.values.value, seeds: Number(this.seeds.value) };
    this.does.ask(how, { asked: this.#asked, ...question });
  }

  /**
   * Takes the server's answer.
   *
   * @param {Swept} answer
   */
  answer(answer) {
    if (answer.asked !== this.#asked) return;
    this.start.disabled = false;
    if (answer.error !== undefined) this.#say(answer.error, true);
    else if (answer.started) {
      this.node.close();
      this.does.started(answer.started);
    } else this.#say(this.#planned(answer));
  }

  /** @param {Swept} plan */
  #planned({ runs = 0, values = [], seconds = 0, rest = "" }) {
    const each = this.seeds.value === "1" ? "" : ` with ${this.seeds.value} seeds each`;
    const what = `${SETTINGS[this.vary.value].short} = ${values.join(", ")}${each}`;
    const how = runs === 1 ? "on this server" : "on this server, one after another";
    return `${runs} run${runs === 1 ? "" : "s"}, ${what}: about ${duration(Math.max(1, seconds))} ${how} (${rest}).`;
  }

  /** @param {string} sentence */
  #say(sentence, isWrong = false) {
    this.plan.textContent = sentence;
    this.plan.classList.toggle("live-refused", isWrong);
  }
}

/**
 * @param {string} value
 * @param {string} text
 */
const option = (value, text) => make("option", { value }, text);
