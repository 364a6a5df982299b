// The thread of worker.js as a function that is called: begun with the first question.

/** @import { Exact } from "../shared/types.js" */
/** @import { Question } from "./worker.js" */
/** @typedef {{ resolve: (answer: Exact | null) => void, reject: (error: Error) => void }} Waiting */

/** @type {Worker | null} */
let worker = null;
let isRefused = false; // whether this browser gives the page no thread, as in a frame without an origin
/** @type {Waiting[]} */
const waiting = []; // for answers, which come in the order of the questions

/**
 * What the worker answers: null where there is none or it is too slow here, or there is no image.
 *
 * @param {Question} question its decoder is the worker's from now on
 * @returns {Promise<Exact | null>} rejected where the worker cannot be loaded, or fails: the next one is a new one
 */
export async function askWorker(question) {
  if (isRefused) return null;
  try {
    worker ??= begun();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    isRefused = true;
    return null;
  }
  worker.postMessage(question, question.decoder ? [question.decoder] : []);
  return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
}

function begun() {
  const made = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  made.onmessage = ({ data }) => waiting.shift()?.resolve(data);
  made.onerror = ({ message }) => {
    made.terminate();
    worker = null;
    for (const { reject } of waiting.splice(0)) reject(new Error(message || "The worker could not be loaded."));
  };
  return made;
}
