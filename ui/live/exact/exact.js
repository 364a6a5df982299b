// The exact posterior of an image, of a model with two latent dimensions: found in this browser, or on the server where
// the decoder does not run here.

import { answerOf, failed, fileOf } from "../shared/ask.js";
import { addressOf, bytes } from "../shared/page.js";
import { askWorker } from "./thread.js";

/** @import { Answer, Exact, Hole, Q, Server } from "../shared/types.js" */
/** @import { Question } from "./worker.js" */
/**
 * version: of the weights; seen: the image as the model sees it, base64.
 *
 * @typedef {{ model: string, version: string, seen: string, q: Q } & Hole} Asked
 */

export const CERTAIN = 0.1; // nats: with a larger error, log p(x) is not called exact

let held = ""; // the model and the version that the worker has
/** @type {Promise<Posted | null>} */
let last = Promise.resolve(null); // question, as it was posted

/** @typedef {{ answer: Promise<Exact | null> }} Posted */

/**
 * The exact posterior, of what is visible of the image.
 *
 * @param {Asked} asked
 * @param {Pick<Server, "truth">} server
 * @returns {Promise<Answer<Exact>>}
 */
export async function exactPosterior({ model, version, seen, hidden, q }, server) {
  const found = await here(model, version, { image: bytes(seen), hidden: hidden ? bytes(hidden) : null, q });
  if (found) return found;
  const answer = await answerOf(server.truth({ model, image: seen, hidden }));
  return failed(answer) ? answer : { ...answer, density: bytes(answer.density) };
}

/**
 * Has the worker get ready for a model.
 *
 * @param {string} model
 * @param {string} version
 */
export function prepare(model, version) {
  if (held !== `${model} ${version}`) here(model, version, { image: null, q: { mu: [], std: [] } });
}

/**
 * What the worker answers; null where it cannot.
 *
 * @param {string} model
 * @param {string} version
 * @param {Omit<Question, "decoder">} question
 */
async function here(model, version, question) {
  last = last.then(() => post(model, version, question)); // the next one finds what this one has loaded
  return (await last)?.answer ?? null;
}

/**
 * Posts a question, and before it the decoder that it is of.
 *
 * @param {string} model
 * @param {string} version
 * @param {Omit<Question, "decoder">} question
 * @returns {Promise<Posted | null>}
 */
async function post(model, version, question) {
  const wanted = `${model} ${version}`;
  let decoder = null;
  if (held !== wanted) {
    const answer = await fileOf(addressOf(`live/models/${encodeURIComponent(model)}/decoder`));
    if (failed(answer)) return null;
    decoder = await answer.file.arrayBuffer();
    held = wanted;
  }
  const answer = askWorker({ decoder, ...question }).catch((error) => {
    held = "";
    reportError(error); // the server answers in its place
    return null;
  });
  return { answer };
}
