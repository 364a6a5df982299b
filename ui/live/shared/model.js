// The model that Draw and Latents use: what it is, and its pictures, decoded in this browser or, where that is too slow,
// on the server.

import { later } from "./background.js";
import { readDecoder } from "./decoder.js";
import { addressOf, answerOf, bytes } from "./page.js";
import { DECODED_AT_ONCE } from "./vocabulary.js";

const SLOW = 12; // ms that a picture may take here
const TRIALS = 12; // decodes before the time is believed: the first ones are slow everywhere
const LEISURE = 20_000; // ms
const AGAIN = 2000; // ms until a server that did not answer is asked once more

/**
 * id; about: what `describe` of ui/models.py says, null until it is known; decoder: of decoder.js, null where the server
 * decodes; ms: what a picture takes here; error: why there is none.
 */
export const model = { id: "", about: null, decoder: null, ms: null, error: "" };

const views = new Set();
const leisurely = new Set();
let told = -Infinity; // when those at leisure were told last
let timer = 0;
let ask = null; // the server functions describe and decode
let refreshing = false;
let again = false;
let uses = 0; // numbers the models, so that what comes late of an older one is dropped
let inUse = 0; // the number of the one that is used by now

/** Calls view(model, anew) whenever there is another model (anew) or it has other weights, and now where there is one. */
export function onModel(view) {
  views.add(view);
  if (model.about || model.error) view(model, true);
}

/** The same, but of other weights at most every twenty seconds: for what takes long to draw while the model trains. */
export function onModelAtLeisure(view) {
  leisurely.add(view);
  if (model.about || model.error) view(model, true);
}

function tell(anew) {
  views.forEach((view) => view(model, anew));
  clearTimeout(timer);
  const left = anew ? 0 : told + LEISURE - performance.now();
  timer = left > 0 ? setTimeout(atLeisure, left, false) : atLeisure(anew);
}

function atLeisure(anew) {
  told = performance.now();
  leisurely.forEach((view) => view(model, anew));
}

/** Uses another model from now on; `functions`: describe and decode. */
export async function useModel(id, functions) {
  ask = functions;
  uses += 1;
  const mine = uses;
  const about = id ? await answerOf(ask.describe({ model: id })) : { error: "There is no model yet: train one first." };
  const error = about.error ?? "";
  const found = error ? NOTHING : await load(id);
  if (mine !== uses) return;
  inUse = mine;
  Object.assign(model, { id, about: error ? null : about, error }, found);
  tell(true);
  if (about.silent) setTimeout(() => mine === uses && useModel(id, functions), AGAIN);
}

/** Takes the newest weights of the model in use; asked again meanwhile, it does so once more. */
export async function refreshModel() {
  again = true;
  if (refreshing) return;
  refreshing = true;
  while (again && inUse === uses) {
    // else another one is on its way, with its newest weights
    again = false;
    const mine = uses;
    const found = await load(model.id);
    if (mine !== uses) continue;
    Object.assign(model, found);
    tell(false);
  }
  refreshing = false;
}

const NOTHING = { decoder: null, ms: null };

/** The decoder of a model, if this browser has it and is fast enough, and the ms that a picture takes it. */
async function load(id) {
  const known = id === model.id ? model.ms : null; // other weights take as long as the last ones
  const answer = await fetch(addressOf(`live/models/${encodeURIComponent(id)}/decoder`)).catch(() => null);
  const weights = answer?.ok ? await answer.arrayBuffer().catch(() => null) : null; // a connection may break on the way
  if (!weights) return { decoder: null, ms: known }; // the server decodes then, and says what is wrong
  const decoder = readDecoder(weights);
  const ms = known ?? timed(decoder);
  return { decoder: ms > SLOW ? null : decoder, ms };
}

/** The ms of one decode, once it has run a few times; given up early where there is no hope. */
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

/** The 28×28 bytes of a point, decoded here and now; null where the server decodes. */
export function picture(z) {
  return model.decoder && decoded(model.decoder, z);
}

function decoded(decoder, z) {
  const pixels = decoder.decode(z);
  return Uint8Array.from(pixels, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}

/** The same from the server, for a list of at most 64 points: their bytes one after the other. Throws what is wrong. */
export async function pictureOfServer(points) {
  const answer = await answerOf(ask.decode({ model: model.id, z: points.map((z) => [...z]) }));
  if (answer.error) throw new Error(answer.error);
  return bytes(answer.image);
}

const newest = new Map(); // by key: the last question, so that older ones fall silent

/** Calls each(n, bytes) for every point, some time later and in order; a newer call under the same key ends an older one. */
export function pictures(key, points, each, done = () => {}) {
  const mine = Symbol(key);
  newest.set(key, mine);
  later(key, model.decoder ? here(model.decoder, points, each, done) : noop());
  if (!model.decoder) there(points, each, done, { id: model.id, isNewest: () => newest.get(key) === mine });
}

function* noop() {}

function* here(decoder, points, each, done) {
  for (const [n, z] of points.entries()) {
    each(n, decoded(decoder, z));
    yield;
  }
  done();
}

let waiting = []; // what the server shall decode: {z, id, isNewest, take}
let asking = false;

/** What is wanted in one moment goes into one question, and one question goes at a time: a class has many browsers. */
async function there(points, each, done, { id, isNewest }) {
  const last = points.length - 1;
  points.forEach((z, n) =>
    waiting.push({
      z,
      id,
      isNewest,
      take: (grey) => {
        each(n, grey);
        if (n === last) done();
      },
    }),
  );
  if (asking) return;
  asking = true;
  await null; // others who want pictures in this moment come first
  const isWanted = (one) => one.id === model.id && one.isNewest();
  try {
    while ((waiting = waiting.filter(isWanted)).length) {
      const some = waiting.splice(0, DECODED_AT_ONCE);
      const all = await pictureOfServer(some.map(({ z }) => z)).catch(() => null); // the large picture says what is wrong
      some.forEach((one, n) => all && isWanted(one) && one.take(all.subarray(784 * n, 784 * (n + 1))));
    }
  } finally {
    asking = false;
  }
}
