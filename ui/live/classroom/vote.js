// A question to the class on a participant's page: a private vote, then the bars, then a second vote.

import { make } from "../shared/page.js";
import { bars, written } from "./bars.js";
import { onLed } from "./lead.js";
import { onNews, room, say } from "./news.js";

/** @import { Asked } from "./news.js" */

const PRIVATE = "Your vote is private, and you can change it until the votes are shown.";
const FOLDED = "vae-question-folded"; // in the browser's storage of this visit: the question as it was hidden
const DISCUSS = "Talk it over with your neighbour: you may be asked again.";

/** The panel with the question; hidden while nothing is asked. */
export function panel() {
  const title = make("h2", { textContent: "A question to all" });
  const body = make("div");
  const said = make("p", { className: "live-message", role: "status" });
  const fold = make("button", { type: "button", className: "live-quiet" });
  const more = make("div", {}, body, said);
  const head = make("header", {}, title, fold);
  const node = make("section", { className: "live-class-question", ariaLabel: "A question to all" }, head, more);
  const folded = (/** @type {boolean} */ isFolded) => {
    more.hidden = isFolded;
    fold.textContent = isFolded ? "Show" : "Hide";
    fold.ariaExpanded = String(!isFolded);
  };
  fold.onclick = () => {
    folded(!more.hidden);
    sessionStorage.setItem(FOLDED, more.hidden ? drawn : "");
  };
  let drawn = "";
  onLed(() => {
    if (!room.question?.is_shown) return; // else what settles it is on the page now
    sessionStorage.setItem(FOLDED, JSON.stringify(room.question));
    folded(true);
  });
  onNews(() => {
    const { question, is_lecturer, me } = room;
    node.hidden = !question || is_lecturer || !me;
    const now = JSON.stringify(question);
    if (node.hidden || !question || now === drawn) return;
    drawn = now;
    folded(sessionStorage.getItem(FOLDED) === now);
    said.textContent = "";
    title.textContent = question.round === 2 ? "The same question once more" : "A question to all";
    body.replaceChildren(...(question.is_shown ? shown(question) : asked(question, said)));
  });
  return node;
}

/** @param {Asked} question */
function shown(question) {
  const note = question.round === 1 ? DISCUSS : "";
  return [written("p", question.text), bars(question, question.counts), make("small", {}, note)];
}

/**
 * @param {Asked} question
 * @param {HTMLElement} said where a refusal is told
 */
function asked({ number, text, options, mine, round }, said) {
  const buttons = options.map((option, n) => {
    const button = /** @type {HTMLButtonElement} */ (written("button", option, "live-choice"));
    button.type = "button";
    button.ariaPressed = String(mine[round - 1] === n);
    button.onclick = async () => {
      said.textContent = await say("vote", { number, choice: n });
    };
    return button;
  });
  return [written("p", text), make("div", { className: "live-choices" }, ...buttons), make("small", {}, PRIVATE)];
}
