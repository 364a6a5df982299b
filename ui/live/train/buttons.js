// Which of the buttons that steer a run there are in a state, and what they say.

import { STATES } from "../shared/vocabulary.js";

/** @import { Command } from "../shared/vocabulary.js" */
/** @typedef {{ text: string, title: string, command: Command | "first", isPrimary?: boolean }} Offer */
/** @typedef {Record<"toggle" | "stop" | "step" | "reset", Offer | null>} Offers null for a button that is not there */

const PAUSE = "Pause after this batch, and go on later exactly there";
const PAUSE_WAITING = "Leave the queue, and join it again later";
const STOP = "End this run; the form is then free for another one";
const STOP_WAITING = "Leave the queue; the form is then free for another run";
const STEP = "Take one batch, and look at it";
const FIRST = "Take the first batch of a new run, and look at it";
const RESET = "Begin again with the settings that this run began with; it stays in the list of runs";

/**
 * What is offered of a run. A single batch is the first one of a new run where the followed one can take none.
 *
 * @param {string} state "" where no run is followed
 * @param {{ isRecorded: boolean, isShared?: boolean, hasBegun: boolean }} run whether it is a recording; whether it is
 *   another browser's, which offers nothing; whether it has a record
 * @returns {Offers}
 */
export function offersOf(state, { isRecorded, isShared = false, hasBegun }) {
  if (isShared) return { toggle: null, stop: null, step: null, reset: null };
  const can = new Set(isRecorded ? [] : STATES[state]?.offers);
  const isWaiting = state === "waiting";
  /** @type {Offer | null} */
  let step = { command: "first", text: "Step", title: FIRST };
  if (can.has("step")) step = { command: "step", text: "Step", title: STEP };
  else if (can.has("pause")) step = null;
  return {
    toggle: can.has("pause")
      ? { command: "pause", text: "Pause", title: isWaiting ? PAUSE_WAITING : PAUSE }
      : can.has("play")
        ? playing(state === "paused", hasBegun)
        : null,
    stop: can.has("stop") ? { command: "stop", text: "Stop", title: isWaiting ? STOP_WAITING : STOP } : null,
    step,
    reset: can.has("reset") && hasBegun ? { command: "reset", text: "Start over", title: RESET } : null,
  };
}

/**
 * While a run is paused the form is its own, so that training on is the one thing to do; later a new run is the other.
 *
 * @param {boolean} isPaused
 * @param {boolean} hasBegun
 * @returns {Offer}
 */
function playing(isPaused, hasBegun) {
  const title = hasBegun ? "Go on exactly where it was" : "Begin with its first batch";
  const again = hasBegun ? "Train on" : "Train";
  return { command: "play", text: isPaused ? again : "Resume", title, isPrimary: isPaused };
}
