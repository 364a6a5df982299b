// Asking the server, and waiting: late answers are dropped, and many events make few calls.

import { SILENCE } from "./front.js";
import { addressOf } from "./page.js";

/** @import { Answer, Wrong } from "./types.js" */

const BROKEN = "The server broke off in the middle of the file.";
export const AGAIN = 2000; // ms until a server that did not answer is asked once more

/**
 * Numbers the questions of one kind, so that a late answer to an old one can be dropped:
 *
 *     const isNewest = turn();
 *     const answer = await …;
 *     if (!isNewest()) return;
 *
 * A call whose result is not used only makes all questions before it old.
 *
 * @returns {() => () => boolean} begins a question, and returns whether it is still the newest one
 */
export function newest() {
  let count = 0;
  return () => {
    count += 1;
    const mine = count;
    return () => mine === count;
  };
}

/**
 * Calls act once, `ms` after the last of many calls.
 *
 * @param {() => void} act
 * @param {number} ms
 */
export function debounced(act, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const cancel = () => clearTimeout(timer);
  const soon = (after = ms) => {
    cancel();
    timer = setTimeout(act, after);
  };
  return Object.assign(soon, { cancel });
}

/**
 * Calls act at once and then at most every `ms`, and once more after the last call.
 *
 * @param {() => void} act
 * @param {number} ms
 */
export function throttled(act, ms) {
  let last = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const run = () => {
    timer = undefined;
    last = performance.now();
    act();
  };
  const soon = () => {
    timer ??= setTimeout(run, Math.max(0, ms - (performance.now() - last)));
  };
  const cancel = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return Object.assign(soon, { cancel });
}

/** Why a question had no answer: nobody answers, or what stands in front of the server sends the page elsewhere. */
async function silence() {
  const look = await fetch(addressOf("gradio_api/login_check"), { redirect: "manual" }).catch(() => null);
  return look && !look.ok ? (await look.json()).error : SILENCE;
}

/**
 * What a server function answers; {error} says what is wrong in one sentence, {silent} that the server said nothing.
 *
 * @template T
 * @param {Promise<Answer<T> | undefined>} asking
 * @returns {Promise<Answer<T>>}
 */
export async function answerOf(asking) {
  const answer = await asking.catch(() => undefined); // Gradio too makes undefined of a failure
  return answer ?? { error: await silence(), silent: true };
}

/**
 * What the server answers to a file.
 *
 * @template T
 * @param {URL} address
 * @param {Blob} file
 * @returns {Promise<Answer<T>>}
 */
export const answerTo = (address, file) =>
  answerOf(fetch(address, { method: "POST", body: file }).then((answer) => answer.json()));

/**
 * A file of the server.
 *
 * @param {URL} address
 * @param {RequestInit} [init]
 * @returns {Promise<Answer<{ file: Blob, headers: Headers }>>}
 */
export function fileOf(address, init) {
  const read = async () => {
    const answer = await fetch(address, init);
    if (!answer.ok) return answer.json();
    const file = await answer.blob().catch(() => null);
    return file ? { file, headers: answer.headers } : { error: BROKEN, silent: true };
  };
  return answerOf(read());
}

/**
 * Whether an answer says what is wrong, instead of what was asked for.
 *
 * @template {object} T
 * @param {Answer<T>} answer
 * @returns {answer is Wrong}
 */
export const failed = (answer) => "error" in answer;

/**
 * A function that asks one question at a time: while one is under way only the newest request waits, and that one is
 * always asked. Its promise resolves once the newest request of all has its answer.
 *
 * @template Request, T
 * @param {(request: Request) => Promise<Answer<T> | undefined>} ask
 * @param {(answer: Answer<T>, asked: Request) => void} onAnswer
 * @returns {(request: Request) => Promise<void>}
 */
export function oneAtATime(ask, onAnswer) {
  /** @type {{ request: Request } | null} */
  let waiting = null;
  /** @type {Promise<void> | null} */
  let going = null;
  const go = async () => {
    while (waiting) {
      const { request } = waiting;
      waiting = null;
      onAnswer(await answerOf(ask(request)), request);
    }
    going = null;
  };
  return (request) => {
    waiting = { request };
    going ??= go();
    return going;
  };
}
