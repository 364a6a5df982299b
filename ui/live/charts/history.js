// KL per latent dimension over the followed run, for the parts that show more than the newest: asked for once.

import { answerOf, failed } from "../shared/ask.js";
import { ask, feed, show, update } from "../shared/feed.js";
import { make } from "../shared/page.js";

const EVERY = 1000; // ms

/**
 * Rows of KL, one a recorded step (every stride-th of them): steps[i] and kl[i], D numbers in nats.
 *
 * @typedef {{ run: string, stride: number, steps: number[], kl: number[][], covered: number, replaced: number }} History
 */

/** @type {History} */
export const history = { run: "", stride: 0, steps: [], kl: [], covered: -1, replaced: 0 };

let unheard = ""; // why the newest rows are missing

/**
 * Calls view(history) when the element is in sight and there is something new; why rows are missing is said above it.
 *
 * @param {HTMLElement} element
 * @param {(history: History) => void} view
 */
export function showHistory(element, view) {
  let shown = "";
  const message = make("div", { className: "live-message", role: "status", hidden: true });
  element.before(message);
  show(element, () => {
    look();
    message.textContent = unheard;
    message.hidden = !unheard;
    const now = `${history.run} ${history.replaced} ${history.covered}`; // two runs may have as many records
    if (shown !== now) {
      shown = now;
      view(history);
    }
  });
}

/**
 * The row nearest to a step, or undefined.
 *
 * @param {number} step
 */
export function rowAt(step) {
  if (history.run !== feed.run) return undefined;
  let best = 0;
  history.steps.forEach((s, i) => {
    if (Math.abs(s - step) < Math.abs(history.steps[best] - step)) best = i;
  });
  return history.kl[best];
}

let busy = false;
let last = 0;

async function look() {
  const other = history.run !== feed.run || history.replaced !== feed.replaced; // a run that went back is another one
  const stale = other || history.covered !== feed.covered;
  if (busy || !stale || !feed.run || (history.run === feed.run && performance.now() - last < EVERY)) return;
  busy = true;
  last = performance.now();
  const { run, covered, replaced } = feed;
  if (other) Object.assign(history, { run, stride: 0, steps: [], kl: [], covered: -1, replaced });
  const answer = await answerOf(ask.history({ run, stride: history.stride, have: history.steps.length }));
  busy = false;
  if (run !== feed.run || replaced !== feed.replaced) return;
  unheard = failed(answer) ? `The KL of earlier steps did not come. ${answer.error}` : "";
  if (failed(answer)) {
    update();
    return;
  }
  if (answer.from === 0) Object.assign(history, { steps: [], kl: [] });
  history.steps = history.steps.concat(answer.steps);
  history.kl = history.kl.concat(answer.kl);
  Object.assign(history, { stride: answer.stride, covered });
  update();
}
