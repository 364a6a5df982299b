// What several components need: elements, pictures of 28×28 bytes, and asking the server for the newest only.

import { IMAGE_SIDE as SIDE } from "./vocabulary.js";

export { SIDE };

/** An element with properties and children: make("button", { className: "x", onclick }, "text", child). */
export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** The bytes of base64 text. */
export const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** Base64 text of bytes. */
export const base64 = (array) => btoa(String.fromCharCode(...array));

/** Paints count = columns × rows images of 28×28 grey bytes, white ink on black as in MNIST. */
export function paint(canvas, grey, columns = 1, rows = 1) {
  [canvas.width, canvas.height] = [columns * SIDE, rows * SIDE];
  const pen = canvas.getContext("2d");
  for (let n = 0; n * SIDE * SIDE < grey.length; n += 1) {
    const image = pen.createImageData(SIDE, SIDE);
    for (let p = 0; p < SIDE * SIDE; p += 1) {
      const value = grey[n * SIDE * SIDE + p];
      image.data.set([value, value, value, 255], 4 * p);
    }
    pen.putImageData(image, (n % columns) * SIDE, Math.floor(n / columns) * SIDE);
  }
}

/** Why a question had no answer: the server is away, or was started anew and asks for the login again. */
async function silence() {
  const login = await fetch(addressOf("gradio_api/login_check")).catch(() => null);
  return login?.status === 401
    ? "The server asks for name and password again: reload the page."
    : "The server does not answer.";
}

/** What a server function answers; {error} is what is wrong in one sentence, and {silent} where nothing came. */
export async function answerOf(asking) {
  const answer = await asking.catch(() => undefined); // which is also what Gradio makes of a failure
  return answer ?? { error: await silence(), silent: true };
}

/**
 * A function that asks with the newest request only: one question at a time, answers in order, the last always asked.
 * Its promise holds until the newest request of all has its answer.
 */
export function latest(ask, onAnswer) {
  let waiting = null;
  let going = null;
  const go = async () => {
    while (waiting) {
      const asked = waiting;
      waiting = null;
      onAnswer(await answerOf(ask(asked)), asked);
    }
    going = null;
  };
  return (request) => {
    waiting = request;
    return (going ??= go());
  };
}

/** A number of nats for people. */
export const nats = (value) => (value === null || value === undefined ? "not finite" : minus(value.toFixed(1)));

/** A formatted number with a real minus sign, as wide as a plus. */
export const minus = (text) => text.replace("-", "−");

/** The address of what this server has below the page's own address, also behind a proxy's prefix. */
export const addressOf = (path) => new URL(path, location.origin + location.pathname.replace(/\/?$/, "/"));

/** Shows another tab of the page, by the name on it. */
export function openTab(name) {
  [...document.querySelectorAll('button[role="tab"]')].find((button) => button.textContent.trim() === name)?.click();
}

/** Seconds for people. */
export function duration(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  return s < 3600
    ? `${Math.floor(s / 60)} min ${s % 60} s`
    : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** A number of bytes for people. */
export const bytesOf = (count) => (count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`);
