// What a screen reader says of a training: that it begins, how far it is, and how it ended.

import { make } from "../shared/page.js";
import { STATES } from "../shared/vocabulary.js";

/** @import { Feed } from "../shared/types.js" */

const APART = 4000; // ms between two sentences: at most three come in ten seconds
const PARTS = 10; // of a training, each of which is told

/** A status that is heard and not seen. Of sentences that come too soon after another the last one is said. */
export class Announcer {
  node = make("div", { className: "live-heard", role: "status" });
  #known = ""; // what the wanted sentence is about
  #said = -Infinity; // when, in ms of the page's clock
  #timer = 0;

  /**
   * Says how the followed run stands, where that is news.
   *
   * @param {Feed} feed
   * @param {string} result what a finished training has reached
   * @param {string} refused why the last press of a button did nothing
   */
  tell({ run, state, message, progress }, result, refused) {
    const share = state === "running" && progress ? progress.step / progress.total_steps : 0;
    const part = Math.floor(share * PARTS);
    const known = [run, state, part, refused].join(" ");
    if (known === this.#known) return;
    this.#known = known;
    const title = STATES[state]?.title ?? "";
    const how = part > 0 ? `${title}: ${(100 * part) / PARTS} %` : [title, message].filter(Boolean).join(": ");
    this.#say(refused || (state === "finished" && result) || how);
  }

  /** @param {string} sentence */
  #say(sentence) {
    clearTimeout(this.#timer);
    if (!sentence) return;
    const now = () => {
      this.#said = performance.now();
      this.node.textContent = sentence;
    };
    this.#timer = window.setTimeout(now, this.#said + APART - performance.now());
  }
}
