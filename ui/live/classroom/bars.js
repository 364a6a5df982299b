// The votes on a question as bars, those of both rounds side by side.

import { count, make } from "../shared/page.js";
import { prose } from "../theory/prose.js";

/** @import { Asked } from "./news.js" */

const ROUNDS = ["first vote", "second vote"];

/**
 * A text that may have formulas in it; one that only looks as if it had stays as it was typed.
 *
 * @param {"p" | "span" | "button"} tag
 * @param {string} text
 * @param {string} [className]
 */
export function written(tag, text, className = "") {
  try {
    return prose(tag, text, className);
  } catch {
    return make(tag, { textContent: text, className });
  }
}

/**
 * @param {Pick<Asked, "options" | "right" | "mine">} question
 * @param {number[][]} counts of each round, by answer
 */
export function bars({ options, right, mine }, counts) {
  const most = Math.max(1, ...counts.flat());
  const lines = options.map((text, n) => {
    const isMine = mine.includes(n);
    const title = written("span", `${text}${isMine ? " · your answer" : ""}`, "live-vote-text");
    const rounds = counts.map((votes, round) => bar(votes[n] / most, votes[n], round, counts.length));
    const line = make("div", { className: "live-vote" }, title, ...rounds);
    line.classList.toggle("live-right", right === n);
    return line;
  });
  return make("div", { className: "live-votes", role: "group", ariaLabel: "Votes" }, ...lines);
}

/**
 * @param {number} share
 * @param {number} votes
 * @param {number} round
 * @param {number} rounds how many there are
 */
function bar(share, votes, round, rounds) {
  const ink = make("span", { className: "live-vote-ink" });
  ink.style.width = `${100 * share}%`;
  ink.dataset.round = String(round + 1);
  const said = rounds > 1 ? `${count(votes, "vote")}, ${ROUNDS[round]}` : count(votes, "vote");
  return make("div", { className: "live-vote-bar" }, ink, make("small", {}, said));
}
