// One feed a page: what is new of the followed run, asked for once and handed to every component that shows it.

import { answerOf } from "./page.js";
import { STATES } from "./vocabulary.js";

const FAST = 100; // ms between two questions until the first record is there
const SLOW = 1500; // while nothing that shows the run is in sight, or the server does not answer
const MOST_ROWS = 6000; // of the columns; beyond that the server thins them anew

const GONE = "gone"; // the state of a run that the server does not know any more

/** What is known of the followed run. `columns` are aligned lists, losses in nats per image; see Follower.follow in ui/follow.py. */
export const feed = { ...empty(""), moment: null, silent: false }; // moment: the step that the pictures are scrubbed back to, or null; silent: the server does not answer
/** The server functions of the page's feed: follow, window, history. */
export let ask = {};

const views = new Set();
let round = 0; // numbers the loops, so that a late answer to an old one is dropped
let wake = () => {};

/** Whether nothing goes on by itself in that state. */
export const hasEnded = (state) => state === GONE || STATES[state]?.going === false;

/** Nothing known of a run yet; `anew` counts how often its columns were replaced, and not only extended. */
export function empty(run) {
  return {
    run,
    state: "",
    message: "",
    about: null,
    progress: null,
    covered: 0,
    mark: "",
    columns: { step: [] },
    kl_per_dim: [],
    changes: [],
    frames: [],
    newest: "",
    batch: "",
    wait: 250,
    anew: 0,
  };
}

/** What to ask of the server's `follow`, to get what is not known yet. */
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

/** Takes an answer of the server's `follow` into what is known of its run. */
export function absorb(store, answer) {
  if (answer.from === 0) Object.assign(store, { columns: { step: [] }, changes: [], frames: [], anew: store.anew + 1 });
  else if (answer.from !== store.covered) return void (store.covered = 0); // a hole: all of it anew
  for (const [name, values] of Object.entries(answer.columns))
    store.columns[name] = (store.columns[name] ?? []).concat(values);
  store.covered = answer.to;
  store.changes = store.changes.concat(answer.changes);
  store.frames = store.frames.concat(answer.frames);
  for (const name of ["state", "message", "progress", "mark", "kl_per_dim", "newest", "batch", "wait"])
    store[name] = answer[name];
  store.about = answer.about ?? store.about;
}

/** Follows a run from now on, with these server functions. */
export function follow(run, functions) {
  ask = functions;
  if (run === feed.run) return;
  Object.assign(feed, empty(run), { moment: null });
  update();
  refresh();
}

/** Asks at once, and goes on asking: after something that may have set the run going again. */
export function refresh() {
  round += 1;
  if (feed.run) loop(round);
}

/**
 * Calls view(feed) now, at every news and when the element comes into sight; never while it is out of sight. `every`: ms
 * between two news that are soon enough for it.
 */
export function show(element, view, every = 0) {
  const entry = () => inSight(element) && view(feed);
  Object.assign(entry, { element, every });
  views.add(entry);
  new ResizeObserver(() => {
    entry();
    wake();
  }).observe(element);
  entry();
}

// Who comes back wants to know at once.
const back = () => (hasEnded(feed.state) && !document.hidden ? refresh() : wake());
document.addEventListener("visibilitychange", back);
window.addEventListener("focus", back);

export const inSight = (element) => element.isConnected && element.offsetParent !== null && !document.hidden;
/** Has everything in sight drawn anew. */
export const update = () => views.forEach((view) => view());

async function loop(mine) {
  while (mine === round) {
    if (!document.hidden) await look(mine);
    await pause();
  }
}

async function look(mine) {
  const answer = await answerOf(ask.follow(question(feed)));
  if (mine !== round) return;
  feed.silent = Boolean(answer.silent);
  if (feed.silent) feed.message = answer.error;
  else if (answer.error) Object.assign(feed, { state: GONE, message: answer.error, newest: "", frames: [] });
  else absorb(feed, answer);
  update();
}

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
