// The model that Draw and Latents use: what it is, and its pictures, decoded in this browser or, where that is too
// slow, on the server.

import { AGAIN, answerOf, debounced, failed, fileOf, newest } from "./ask.js";
import { later } from "./background.js";
import { readDecoder } from "./decoder.js";
import { addressOf, bytes } from "./page.js";
import { DECODED_AT_ONCE } from "./vocabulary.js";

/**
 * @import { Decoder } from "./decoder.js"
 * @import { Description, Server, Z } from "./types.js"
 */

const SLOW = 12; // ms that a picture may take here
const TRIALS = 12; // decodes before the time is believed: the first ones are slow everywhere
const LEISURE = 20_000; // ms

/**
 * about: null until it is known; decoder: null where the server decodes; ms: what a picture takes here; error: why
 * there is no model.
 *
 * @typedef {{
 *   id: string, about: Description | null, decoder: Decoder | null, ms: number | null, error: string,
 * }} Model
 * @typedef {(model: Model, isOther: boolean) => void} View
 * @typedef {Pick<Server, "describe" | "decode">} Functions
 */

/** @type {Model} */
export const model = { id: "", about: null, decoder: null, ms: null, error: "" };

/** @type {Set<View>} */
const views = new Set();
/** @type {Set<View>} */
const leisurely = new Set();
let told = -Infinity; // when those at leisure were told last
const nobody = async () => undefined;
/** @type {Functions} */
let ask = { describe: nobody, decode: nobody };
let used = ""; // the id of the model that is in use, or on its way
let refreshing = false;
let again = false;
const uses = newest();
let isCurrent = uses(); // whether no other model than the one in use is on its way

/**
 * Calls view(model, isOther) now, and whenever there is another model (isOther) or the model has new weights.
 *
 * @param {View} view
 */
export function onModel(view) {
  views.add(view);
  if (model.about || model.error) view(model, true);
}

/**
 * The same, but for other weights at most every twenty seconds: for what takes long to draw while the model trains.
 *
 * @param {View} view
 */
export function onModelAtLeisure(view) {
  leisurely.add(view);
  if (model.about || model.error) view(model, true);
}

/**
 * Calls then(about) once, now or as soon as a model is in use.
 *
 * @param {string} id
 * @param {(about: Description) => void} then
 */
export function whenUsed(id, then) {
  /** @type {View} */
  const view = ({ id: now, about }) => {
    if (now !== id || !about) return;
    views.delete(view);
    then(about);
  };
  onModel(view);
}

/** @param {boolean} isOther */
function tell(isOther) {
  for (const view of views) view(model, isOther);
  const left = isOther ? 0 : told + LEISURE - performance.now();
  if (left > 0) {
    otherWeights(left);
  } else {
    otherWeights.cancel();
    atLeisure(isOther);
  }
}

/** @param {boolean} isOther */
function atLeisure(isOther) {
  told = performance.now();
  for (const view of leisurely) view(model, isOther);
}

const otherWeights = debounced(() => atLeisure(false), LEISURE);

/**
 * Uses a model from now on; every part that needs one says so.
 *
 * @param {string} id
 * @param {Functions} functions
 */
export function useModel(id, functions) {
  if (id === used) return;
  used = id;
  take(id, functions);
}

/**
 * @param {string} id
 * @param {Functions} functions
 */
async function take(id, functions) {
  ask = functions;
  const isNewest = uses();
  const about = id ? await answerOf(ask.describe({ model: id })) : { error: "There is no model yet: train one first." };
  const found = failed(about) ? NOTHING : await load(id);
  if (!isNewest()) return;
  isCurrent = isNewest;
  Object.assign(model, { id, about: null, error: "" }, failed(about) ? { error: about.error } : { about }, found);
  tell(true);
  if (failed(about) && about.silent) setTimeout(() => isNewest() && take(id, functions), AGAIN);
}

/** Takes the newest weights of the model in use; asked again meanwhile, it does so once more. */
export async function refreshModel() {
  again = true;
  if (refreshing) return;
  refreshing = true;
  while (again && isCurrent()) {
    // else another one is on its way, with its newest weights
    again = false;
    const isStill = isCurrent;
    const found = await load(model.id);
    if (!isStill()) continue;
    Object.assign(model, found);
    tell(false);
  }
  refreshing = false;
}

const NOTHING = { decoder: null, ms: null };

/**
 * The decoder of a model, if this browser has it and is fast enough, and the ms that a picture takes it.
 *
 * @param {string} id
 */
async function load(id) {
  const known = id === model.id ? model.ms : null; // other weights take as long as the last ones
  const answer = await fileOf(addressOf(`live/models/${encodeURIComponent(id)}/decoder`));
  if (failed(answer)) return { decoder: null, ms: known }; // the server decodes then, and says what is wrong
  const decoder = readDecoder(await answer.file.arrayBuffer());
  const ms = known ?? timed(decoder);
  return { decoder: ms > SLOW ? null : decoder, ms };
}

/**
 * The ms of one decode, once it has run a few times; given up early where there is no hope.
 *
 * @param {Decoder} decoder
 */
function timed(decoder) {
  const z = new Float32Array(decoder.about.latent_dim);
  const taken = [];
  for (let n = 0; n < TRIALS; n += 1) {
    z[0] = n / TRIALS;
    const start = performance.now();
    decoder.decode(z);
    taken.push(performance.now() - start);
  }
  return taken.slice(TRIALS / 2).sort((a, b) => a - b)[TRIALS / 4];
}

/**
 * The 28×28 bytes of a point, decoded here and now; null where the server decodes.
 *
 * @param {Z} z
 */
export function picture(z) {
  return model.decoder && decoded(model.decoder, z);
}

/**
 * @param {Decoder} decoder
 * @param {Z} z
 */
function decoded(decoder, z) {
  const pixels = decoder.decode(z);
  return Uint8Array.from(pixels, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}

/**
 * The same from the server, for a list of at most 64 points: their bytes one after the other.
 *
 * @param {Z[]} points
 * @throws {Error} with what is wrong, in a sentence
 */
export async function pictureOfServer(points) {
  const answer = await answerOf(ask.decode({ model: model.id, z: points.map((z) => [...z]) }));
  if (failed(answer)) throw new Error(answer.error);
  return bytes(answer.image);
}

/** @type {Map<string, ReturnType<typeof newest>>} */
const turns = new Map(); // by key, so that older questions fall silent

/**
 * Calls each(n, bytes) for every point, some time later and one after the other; a newer call under the same key ends
 * an older one.
 *
 * @param {string} key
 * @param {Z[]} points
 * @param {(n: number, grey: Uint8Array) => void} each
 * @param {() => void} [done]
 */
export function pictures(key, points, each, done = () => {}) {
  const turn = turns.get(key) ?? newest();
  turns.set(key, turn);
  const isNewest = turn();
  later(key, model.decoder ? here(model.decoder, points, each, done) : noop());
  if (!model.decoder) there(points, each, done, isNewest);
}

function* noop() {}

/**
 * @param {Decoder} decoder
 * @param {Z[]} points
 * @param {(n: number, grey: Uint8Array) => void} each
 * @param {() => void} done
 */
function* here(decoder, points, each, done) {
  for (const [n, z] of points.entries()) {
    each(n, decoded(decoder, z));
    yield;
  }
  done();
}

/** @type {{ z: Z, id: string, isNewest: () => boolean, take: (grey: Uint8Array) => void }[]} */
let waiting = []; // to be decoded by the server
let asking = false;

/**
 * What is wanted in one moment goes into one question, and one question goes at a time: a class has many browsers.
 *
 * @param {Z[]} points
 * @param {(n: number, grey: Uint8Array) => void} each
 * @param {() => void} done
 * @param {() => boolean} isNewest
 */
async function there(points, each, done, isNewest) {
  const last = points.length - 1;
  points.forEach((z, n) => {
    const take = (/** @type {Uint8Array} */ grey) => {
      each(n, grey);
      if (n === last) done();
    };
    waiting.push({ z, id: model.id, isNewest, take });
  });
  if (asking) return;
  asking = true;
  await null; // others who want pictures in this moment come first
  try {
    forgetOld();
    while (waiting.length) {
      await askSome();
      forgetOld();
    }
  } finally {
    asking = false;
  }
}

const isWanted = (/** @type {(typeof waiting)[number]} */ one) => one.id === model.id && one.isNewest();

function forgetOld() {
  waiting = waiting.filter(isWanted);
}

async function askSome() {
  const some = waiting.splice(0, DECODED_AT_ONCE);
  const all = await pictureOfServer(some.map(({ z }) => z)).catch(() => null); // the large picture says what is wrong
  if (!all) return;
  some.forEach((one, n) => {
    if (isWanted(one)) one.take(all.subarray(784 * n, 784 * (n + 1)));
  });
}
