// The film of a training: its frames, fetched before they are wanted, and the range that goes back to any of them and
// replays them. All such ranges of the page show the same moment.

import { failed, fileOf, newest } from "../shared/ask.js";
import { feed, show, update } from "../shared/feed.js";
import { make, rootOf, wantsStill } from "../shared/page.js";

/** @import { Answer, Component } from "../shared/types.js" */

const PLAY = 120; // ms a frame
const AHEAD = 4; // frames to either side that are fetched before they are wanted
const KEPT = 160; // frames that are held: of several films beside each other, too

/**
 * A frame as it came, and its picture; dims: the dimensions of its map.
 *
 * @typedef {{ file: Blob, dims: string[] }} Frame
 * @typedef {{ image: ImageBitmap, dims: string[] }} Shown
 */

/** @type {Map<string, Promise<Answer<Frame>>>} */
const frames = new Map(); // by address
const turn = newest(); // of the replays
let isReplaying = () => false; // the replay that goes on, if any
let played = ""; // the recording that has played by itself

/**
 * A range of its own.
 *
 * @param {Component} component
 */
export function mount({ element }) {
  rootOf(element).append(scrubber("Moment shown by the bars"));
}

/**
 * The frame of the followed run that the page shows; null where there is none.
 *
 * @returns {{ version: string, get: () => Promise<Answer<Shown>> } | null}
 */
export function shown() {
  if (feed.frames.length === 0) return null; // weights may be without a film: those of an upload are
  const isNow = feed.moment === null;
  const moment = feed.moment ?? feed.frames[feed.frames.length - 1];
  if (isNow && feed.newest)
    return { version: feed.newest, get: () => fetched(address(feed.run, `newest.jpg?${feed.newest}`)).then(decoded) };
  const i = feed.frames.indexOf(moment);
  for (const step of feed.frames.slice(Math.max(0, i - AHEAD), i + AHEAD + 1)) kept(feed.run, step);
  return { version: String(moment), get: () => frameOf(feed.run, moment) };
}

/**
 * A range over all frames of the followed run, with Replay, which jumps between the first and the newest one for those
 * who mind motion; to be laid out where its moment is shown.
 *
 * @param {string} label
 */
export function scrubber(label) {
  const range = make("input", { type: "range", min: 0, max: 0, step: 1, value: 0, ariaLabel: label });
  const play = make("button", { type: "button" }, "Replay");
  const live = make("button", { type: "button" }, "Back to now");
  const when = make("output");
  const node = make("div", { className: "live-scrubber" }, play, range, when, live);
  const leave = (/** @type {number} */ i) => {
    end();
    go(i);
  };
  range.oninput = () => leave(Number(range.value));
  live.onclick = () => leave(feed.frames.length);
  play.onclick = () => {
    if (wantsStill()) leave(place() === 0 ? feed.frames.length : 0);
    else if (isReplaying()) stop();
    else replay();
  };
  show(node, () => {
    hold();
    playOnce();
    const { moment } = feed;
    range.max = String(feed.frames.length);
    range.value = String(place());
    range.disabled = feed.frames.length < 2;
    play.disabled = feed.frames.length < 2;
    play.textContent = isReplaying() ? "Pause" : "Replay";
    live.disabled = moment === null;
    when.textContent = moment === null ? "now" : `step ${moment.toLocaleString("en")}`;
    range.setAttribute("aria-valuetext", when.textContent);
  });
  return node;
}

/**
 * Goes to a frame by its place in the film; one past the last is the newest.
 *
 * @param {number} i
 */
function go(i) {
  feed.moment = i >= feed.frames.length ? null : feed.frames[Math.max(0, i)];
  update();
}

const place = () => (feed.moment === null ? feed.frames.length : feed.frames.indexOf(feed.moment));

/** Where the run went back behind the moment, the frame nearest to it is shown. */
function hold() {
  const { moment } = feed;
  if (moment === null || feed.frames.includes(moment)) return;
  const near = (/** @type {number} */ step) => Math.abs(step - moment);
  feed.moment = feed.frames.length ? feed.frames.reduce((a, b) => (near(b) < near(a) ? b : a)) : null;
}

function end() {
  turn();
}

function stop() {
  end();
  update();
}

/** A recording plays by itself once, for those who do not mind motion. */
function playOnce() {
  if (!feed.about?.is_recorded || played === feed.run || wantsStill()) return;
  played = feed.run;
  replay();
}

/** Shows frame after frame up to the newest, each for its time and until the next one has come. */
async function replay() {
  const isMine = turn();
  isReplaying = isMine;
  const { run } = feed;
  if (feed.moment === null) go(0);
  else update();
  while (isMine() && feed.run === run && feed.moment !== null) {
    const next = feed.frames[place() + 1];
    await Promise.all([
      new Promise((resolve) => setTimeout(resolve, PLAY)),
      next === undefined ? null : kept(run, next),
    ]);
    if (isMine() && feed.run === run) go(place() + 1);
  }
  if (isMine()) stop();
}

/**
 * @param {string} run
 * @param {string} name
 */
const address = (run, name) => new URL(`../runs/${run}/${name}`, import.meta.url);

/**
 * The frame of a run at a step that has one.
 *
 * @param {string} run
 * @param {number} step
 */
export const frameOf = (run, step) => kept(run, step).then(decoded);

/**
 * A frame's file and the dimensions of its map, which come with it.
 *
 * @param {URL} src
 * @returns {Promise<Answer<Frame>>}
 */
async function fetched(src) {
  const answer = await fileOf(src);
  if (failed(answer)) return answer;
  return { file: answer.file, dims: (answer.headers.get("Map-Dimensions") ?? "").split(" ") };
}

/**
 * @param {Answer<Frame>} frame
 * @returns {Promise<Answer<Shown>>}
 */
async function decoded(frame) {
  if (failed(frame)) return frame;
  const image = await createImageBitmap(frame.file).catch(() => null);
  return image ? { dims: frame.dims, image } : { error: "Its file is damaged." };
}

/**
 * @param {string} run
 * @param {number} step
 */
function kept(run, step) {
  const src = address(run, `frames/${step}.jpg`);
  const frame =
    frames.get(src.href) ??
    fetched(src).then((it) => {
      if (failed(it)) frames.delete(src.href);
      return it;
    });
  frames.delete(src.href);
  frames.set(src.href, frame); // the last one wanted is the last one forgotten
  const [oldest] = frames.keys();
  if (frames.size > KEPT) frames.delete(oldest);
  return frame;
}
