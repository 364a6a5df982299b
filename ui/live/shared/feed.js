// One feed a page: what is new of the followed run, asked for once and handed to every component that shows it.

import { answerOf, failed, newest } from "./ask.js";
import { STATES } from "./vocabulary.js";

/** @import { Feed, Followed, Server, Store } from "./types.js" */
/** @typedef {Pick<Server, "follow" | "window" | "history">} Functions */

const FAST = 100; // ms between two questions until the first record is there
const SLOW = 1500; // while nothing that shows the run is in sight, or the server does not answer
const MOST_ROWS = 6000; // of the columns; beyond that the server thins them again

const GONE = "gone"; // the state of a run that the server no longer knows

/**
 * What is known of the followed run. `columns` are aligned lists, losses in nats per image; see Follower.follow in
 * ui/follow.py.
 *
 * @type {Feed}
 */
export const feed = { ...empty(""), moment: null, silent: false };

const nobody = async () => undefined;

/**
 * The server functions of the page's feed.
 *
 * @type {Functions}
 */
export let ask = { follow: nobody, window: nobody, history: nobody };

/** @typedef {(() => void) & { element: HTMLElement, every: number }} View */

/** @type {Set<View>} */
const views = new Set();
const rounds = newest();
let wake = () => {};

/**
 * Whether nothing goes on by itself in that state.
 *
 * @param {string} state
 */
export const hasEnded = (state) => state === GONE || STATES[state]?.going === false;

/**
 * Nothing known of a run yet.
 *
 * @param {string} run
 * @returns {Store}
 */
export function empty(run) {
  return {
    run,
    state: "",
    message: "",
    about: null,
    progress: null,
    covered: 0,
    mark: "",
    columns: { step: [], seconds: [] },
    kl_per_dim: [],
    changes: [],
    frames: [],
    newest: "",
    batch: "",
    wait: 250,
    replaced: 0,
  };
}

/**
 * What to ask of the server's `follow`, to get what is not known yet.
 *
 * @param {Store} store
 */
export function question(store) {
  if (store.columns.step.length > MOST_ROWS) return { run: store.run, since: 0, mark: "", changes: 0, frames: 0 };
  return {
    run: store.run,
    since: store.covered,
    mark: store.mark,
    changes: store.changes.length,
    frames: store.frames.length,
  };
}

/**
 * Takes an answer of the server's `follow` into what is known of its run.
 *
 * @param {Store} store
 * @param {Followed} answer
 */
export function absorb(store, answer) {
  if (answer.from === 0) {
    Object.assign(store, { columns: { step: [], seconds: [] }, changes: [], frames: [], replaced: store.replaced + 1 });
  } else if (answer.from !== store.covered) {
    store.covered = 0; // a hole: ask for all of it again
    return;
  }
  for (const [name, values] of Object.entries(answer.columns))
    store.columns[name] = (store.columns[name] ?? []).concat(values);
  store.changes = store.changes.concat(answer.changes);
  store.frames = store.frames.concat(answer.frames);
  store.covered = answer.to;
  store.about = answer.about ?? store.about;
  const { state, message, progress, mark, kl_per_dim, newest: weights, batch, wait } = answer;
  Object.assign(store, { state, message, progress, mark, kl_per_dim, newest: weights, batch, wait });
}

/**
 * Follows a run from now on.
 *
 * @param {string} run
 * @param {Functions} [functions] of the server, where they are others than before
 */
export function follow(run, functions = ask) {
  ask = functions;
  if (run === feed.run) return;
  Object.assign(feed, empty(run), { moment: null });
  update();
  refresh();
}

/** Asks at once, and goes on asking: after something that may have set the run going again. */
export function refresh() {
  const isNewest = rounds();
  if (feed.run) loop(isNewest);
}

/**
 * Calls view(feed) now, on every update, and when the element becomes visible; never while it is out of sight.
 *
 * @param {HTMLElement} element
 * @param {(feed: Feed) => void} view
 * @param {number} [every] ms between two updates that are soon enough for it
 */
export function show(element, view, every = 0) {
  const draw = () => {
    if (inSight(element)) view(feed);
  };
  views.add(Object.assign(draw, { element, every }));
  new ResizeObserver(() => {
    draw();
    wake();
  }).observe(element);
  draw();
}

// Who comes back wants to know at once.
const back = () => (hasEnded(feed.state) && !document.hidden ? refresh() : wake());
document.addEventListener("visibilitychange", back);
window.addEventListener("focus", back);

/**
 * Whether somebody can see it.
 *
 * @param {HTMLElement} element
 */
export const inSight = (element) => element.isConnected && element.offsetParent !== null && !document.hidden;

/** Draws again everything that is in sight. */
export function update() {
  for (const view of views) view();
}

/** @param {() => boolean} isNewest */
async function loop(isNewest) {
  while (isNewest()) {
    if (!document.hidden && !isWhole()) await look(isNewest);
    await pause();
  }
}

/** Whether nothing new will ever come: all of a recorded training is known. */
const isWhole = () => Boolean(feed.about?.is_recorded && feed.progress && !feed.silent);

/** @param {() => boolean} isNewest */
async function look(isNewest) {
  const answer = await answerOf(ask.follow(question(feed)));
  if (!isNewest()) return;
  feed.silent = failed(answer) && Boolean(answer.silent);
  if (!failed(answer)) absorb(feed, answer);
  else if (feed.silent) feed.message = answer.error;
  else Object.assign(feed, { state: GONE, message: answer.error, newest: "", frames: [] });
  update();
}

/** @returns {Promise<void>} */
function pause() {
  const seen = [...views].filter((view) => inSight(view.element));
  const least = seen.length === 0 || feed.silent ? SLOW : Math.min(...seen.map(({ every }) => every));
  const wait = Math.max(least, feed.progress || hasEnded(feed.state) ? feed.wait : FAST);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
