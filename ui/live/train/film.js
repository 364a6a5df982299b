// The film of a training: its frames, fetched before they are wanted, and the range that goes back to any of them and
// replays them. All such ranges of the page show the same moment.

import { feed, show, update } from "../shared/feed.js";
import { make } from "../shared/page.js";

const PLAY = 120; // ms a frame
const AHEAD = 4; // frames to either side that are fetched before they are wanted
const KEPT = 40; // frames that are held

const frames = new Map(); // by address: a promise of {file, dims}, undefined where there is none
let playing = 0; // numbers the replays; 0 while none is going on
let replays = 0;

export function mount({ element }) {
  element.querySelector(".live").append(scrubber("Moment shown by the bars"));
}

/** The frame of the followed run that the page shows: {version, get}, get() a promise of {image, dims} or undefined. */
export function shown() {
  if (!feed.newest || feed.frames.length === 0) return null; // weights may be without a film: those of an upload are
  if (feed.moment === null)
    return { version: feed.newest, get: () => fetched(address(`newest.jpg?${feed.newest}`)).then(decoded) };
  const [i, moment] = [feed.frames.indexOf(feed.moment), feed.moment];
  for (const step of feed.frames.slice(Math.max(0, i - AHEAD), i + AHEAD + 1)) kept(step);
  return { version: String(moment), get: () => kept(moment).then(decoded) };
}

/** A range over all frames of the followed run, with Replay; to be laid out where its moment is shown. */
export function scrubber(label) {
  const range = make("input", { type: "range", min: 0, max: 0, step: 1, value: 0, ariaLabel: label });
  const play = make("button", { type: "button" }, "Replay");
  const live = make("button", { type: "button" }, "Newest");
  const when = make("output");
  const node = make("div", { className: "live-scrubber" }, play, range, when, live);
  range.oninput = () => {
    playing = 0;
    go(Number(range.value));
  };
  live.onclick = () => {
    playing = 0;
    go(feed.frames.length);
  };
  play.onclick = () => (playing ? stop() : replay());
  show(node, () => {
    hold();
    const { moment } = feed;
    range.max = feed.frames.length;
    range.value = place();
    range.disabled = play.disabled = feed.frames.length < 2;
    play.textContent = playing ? "Pause" : "Replay";
    live.disabled = moment === null;
    when.textContent = moment === null ? "newest" : `step ${moment.toLocaleString("en")}`;
    range.setAttribute("aria-valuetext", when.textContent);
  });
  return node;
}

/** Goes to a frame by its place in the film; one past the last is the newest. */
function go(i) {
  feed.moment = i >= feed.frames.length ? null : feed.frames[Math.max(0, i)];
  update();
}

const place = () => (feed.moment === null ? feed.frames.length : feed.frames.indexOf(feed.moment));

/** Where the run went back behind the moment, the frame nearest to it is shown. */
function hold() {
  if (feed.moment === null || feed.frames.includes(feed.moment)) return;
  const near = (step) => Math.abs(step - feed.moment);
  feed.moment = feed.frames.length ? feed.frames.reduce((a, b) => (near(b) < near(a) ? b : a)) : null;
}

function stop() {
  playing = 0;
  update();
}

/** Shows frame after frame up to the newest, each for its time and until the next one has come. */
async function replay() {
  const [mine, { run }] = [(replays += 1), feed];
  playing = mine;
  if (feed.moment === null) go(0);
  else update();
  while (playing === mine && feed.run === run && feed.moment !== null) {
    const next = feed.frames[place() + 1];
    await Promise.all([new Promise((resolve) => setTimeout(resolve, PLAY)), next === undefined ? null : kept(next)]);
    if (playing === mine && feed.run === run) go(place() + 1);
  }
  if (playing === mine) stop();
}

const address = (name) => new URL(`../runs/${feed.run}/${name}`, import.meta.url).href;

/** A frame's file and the dimensions of its map, which come with it; undefined where it cannot be had. */
async function fetched(src) {
  const answer = await fetch(src).catch(() => null);
  const file = answer?.ok && (await answer.blob().catch(() => null)); // a connection may end in the middle
  return file ? { file, dims: answer.headers.get("Map-Dimensions").split(" ") } : undefined;
}

const decoded = async (frame) => frame && { dims: frame.dims, image: await createImageBitmap(frame.file) };

function kept(step) {
  const src = address(`frames/${step}.jpg`);
  const frame =
    frames.get(src) ??
    fetched(src).then((it) => {
      if (!it) frames.delete(src);
      return it;
    });
  frames.delete(src);
  frames.set(src, frame); // the last one wanted is the last one forgotten
  if (frames.size > KEPT) frames.delete(frames.keys().next().value);
  return frame;
}
