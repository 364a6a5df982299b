// Work that may wait: done in slices between two frames, so that the hand never waits for it.

const SLICE = 5; // ms of each frame

/** @type {Map<string, Iterator<void>>} */
const jobs = new Map();
let going = false;

/**
 * Runs a generator to its end, step by step; a newer job under the same key takes its place.
 *
 * @param {string} key
 * @param {Iterator<void>} steps
 */
export function later(key, steps) {
  jobs.delete(key);
  jobs.set(key, steps);
  if (!going) requestAnimationFrame(slice);
  going = true;
}

/**
 * Drops the job of that key.
 *
 * @param {string} key
 */
export const never = (key) => jobs.delete(key);

function slice() {
  const end = performance.now() + SLICE;
  for (const [key, steps] of jobs) {
    let done = false;
    try {
      while (!done && performance.now() < end) done = Boolean(steps.next().done);
    } catch (error) {
      done = true; // this job ends, the others go on
      reportError(error);
    }
    if (done && jobs.get(key) === steps) jobs.delete(key);
    if (performance.now() >= end) break;
  }
  going = jobs.size > 0;
  if (going) requestAnimationFrame(slice);
}
