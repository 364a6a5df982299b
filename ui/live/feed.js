// One feed a page: what is new of the followed run, asked for once and handed to every component that shows it.

const FAST = 100; // ms between two questions until the first record is there
const STEADY = 250; // while something that shows the run is in sight
const SLOW = 1500; // while nothing is, or the server does not answer

export const feed = fresh("");
const views = new Set();
let ask = null;
let round = 0; // numbers the followed runs, so that a late answer for another one is dropped
let wake = () => {};

function fresh(run) {
  return { run, state: "", message: "", data: "", settings: "", progress: null, columns: { step: [] }, kl_per_dim: [], pictures: null };
}

/** Follows a run: answer(request) asks the server's `follow`. */
export function follow(run, answer) {
  if (run === feed.run) return;
  Object.assign(feed, fresh(run));
  ask = answer;
  round += 1;
  update();
  if (run) loop(round);
}

/** Calls view(feed) now, at every news and when the element comes into sight; never while it is out of sight. */
export function show(element, view) {
  const entry = () => inSight(element) && view(feed);
  entry.element = element;
  views.add(entry);
  new ResizeObserver(() => { entry(); wake(); }).observe(element);
  entry();
}

document.addEventListener("visibilitychange", () => wake());

const inSight = (element) => element.isConnected && element.offsetParent !== null;
const update = () => views.forEach((view) => view());
const ended = () => ["finished", "stopped", "failed", "interrupted"].includes(feed.state);

async function loop(mine) {
  while (mine === round) {
    if (!document.hidden) await look(mine);
    if (mine === round && ended()) break;
    await pause();
  }
}

async function look(mine) {
  const request = { run: feed.run, since: feed.columns.step.length, version: feed.pictures?.version ?? "" };
  const answer = await ask(request).catch(() => undefined);
  if (mine !== round) return;
  if (answer === undefined) feed.message = "The server does not answer; trying again.";
  else if (answer.error) Object.assign(feed, { state: "failed", message: answer.error });
  else take(answer);
  update();
}

function take(answer) {
  const have = feed.columns.step.length;
  if (answer.from !== have) feed.columns = { step: [] }; // the run went back: all of it anew
  else for (const [name, values] of Object.entries(answer.columns)) (feed.columns[name] ??= []).push(...values);
  for (const name of ["state", "message", "data", "settings", "progress", "kl_per_dim"]) feed[name] = answer[name];
  feed.pictures = answer.pictures ?? feed.pictures;
}

function pause() {
  const seen = [...views].some((view) => inSight(view.element));
  const wait = document.hidden || !seen || feed.message.startsWith("The server") ? SLOW : feed.progress ? STEADY : FAST;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait);
    wake = () => { clearTimeout(timer); resolve(); };
  });
}
