// What stands in front of the server (a proxy, the login of a network) may answer in its place, by a page of its own.
// This module makes such an answer one of the server's kind, {error: one sentence}, for every question of the page:
// those of Gradio's client, which asks by fetch too, are among them.

import { bytesOf } from "./page.js";

const FUNCTIONS = /\/component_server\/?$/; // the address of the server functions
const NO_ANSWER = 502; // the status of an answer that was not the server's

export const SILENCE = "The server does not answer.";

const ask = globalThis.fetch;
/** @type {Set<(sentence: string) => void>} */
const listeners = new Set();

/**
 * Calls then(sentence) whenever an answer was not the server's, or none came, where nothing else would say so.
 *
 * @param {(sentence: string) => void} then
 */
export const onForeign = (then) => listeners.add(then);

/** @param {string} sentence */
function tell(sentence) {
  for (const then of listeners) then(sentence);
}

globalThis.fetch = async (resource, init) => {
  const answer = await ask(resource, init).catch((error) => {
    if (error.name !== "AbortError") tell(SILENCE);
    throw error;
  });
  if (answer.ok && !isOf(answer, "text/html")) return answer; // the server never answers a question by a page
  const isFunction = FUNCTIONS.test(resource instanceof Request ? resource.url : String(resource));
  const own = answer.status !== 401 && isOf(answer, "application/json") ? await read(answer.clone()) : {};
  if (!isFunction && (own.error === null || typeof own.error === "string")) return answer;
  const words = own.error ?? own.detail;
  const isOwn = typeof words === "string";
  const error = isOwn ? words : meaning(answer.status, init?.body);
  if (!isOwn) tell(error);
  // Gradio's client makes undefined of what a server function answers with another status than 200.
  const status = isFunction ? 200 : isOwn ? answer.status : NO_ANSWER;
  const headers = { "Content-Type": "application/json" };
  return new Response(JSON.stringify({ error, silent: true }), { status, headers });
};

/**
 * The fields of an answer, none where it has none.
 *
 * @param {Response} answer
 * @returns {Promise<{ error?: unknown, detail?: unknown }>}
 */
const read = async (answer) => Object(await answer.json().catch(() => null));

/**
 * Whether an answer is of a type.
 *
 * @param {Response} answer
 * @param {string} type
 */
const isOf = (answer, type) => (answer.headers.get("Content-Type") ?? "").startsWith(type);

/**
 * What the status of an answer means that has no words of the server: a sentence.
 *
 * @param {number} status
 * @param {BodyInit | null} [body] of the question
 */
function meaning(status, body) {
  if (status < 400) return "Something in front of the server answers in its place: reload the page.";
  if (status === 401) return "The server asks for name and password again: reload the page.";
  if (status === 404) return "There is nothing at that address (404).";
  if (status === 413) return `The server in front refused ${sized(body)} (413).`;
  if (status === 429) return "The server in front refused the request, because there were too many (429).";
  if (status < 500) return `The server in front refused the request (${status}).`;
  if (status === 502 || status === 503) return `The server in front does not reach the app (${status}).`;
  if (status === 504) return "The server in front has waited too long for the app (504).";
  return `The server failed at the request (${status}).`;
}

/**
 * A question's body in words.
 *
 * @param {BodyInit | null} [body]
 */
function sized(body) {
  const isKnown = typeof body === "string" || body instanceof Blob || ArrayBuffer.isView(body);
  if (!isKnown) return "the request";
  return `a ${typeof body === "string" ? "request" : "file"} of ${bytesOf(new Blob([body]).size)}`;
}
