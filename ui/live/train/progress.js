// How far the followed run is, and the buttons that steer it. The value from Python, {run, browser}, says which run the
// whole page follows.

import { feed, follow, refresh, show } from "../shared/feed.js";
import { answerOf, duration, make } from "../shared/page.js";
import { STATES } from "../shared/vocabulary.js";

const NOTHING_YET = "No training yet: choose settings and press Train.";
const GONE = "Gone";

export function mount({ element, props, server, watch, trigger }) {
  const node = element.querySelector(".live");
  const view = layout(node);
  let refused = ""; // why the last press of a button did nothing
  let unheard = false; // because the server did not answer

  const steer = async (how) => {
    if (how === "step" && !STATES[feed.state]?.resumable) return void trigger("first", {});
    const answer = await answerOf(server.steer({ browser: props.value.browser, run: feed.run, how }));
    [refused, unheard] = [answer.error ?? "", Boolean(answer.silent)];
    if (answer.run && answer.run !== feed.run) start(answer.run);
    else refresh();
    draw();
  };
  view.toggle.onclick = () => steer(STATES[feed.state]?.going ? "pause" : "play");
  view.step.onclick = () => steer("step");
  view.stop.onclick = () => steer("stop");
  view.reset.onclick = () => steer("reset");

  const draw = () => {
    if (unheard && !feed.silent) [refused, unheard] = ["", false]; // it answers again
    fill(view, node, refused);
  };
  show(element, draw);

  // Python is told of a state's change even while this tab is out of sight.
  let told = "";
  let known = { run: "", state: "" }; // what it was told last
  setInterval(() => {
    const now = `${feed.run} ${feed.state} ${Boolean(feed.newest)}`;
    if (!feed.run || !feed.state || now === told) return;
    const before = feed.run === known.run ? known.state : "";
    [told, known] = [now, { run: feed.run, state: feed.state }];
    refused = "";
    trigger("changed", { run: feed.run, state: feed.state, before });
  }, 200);

  const start = (run) => {
    refused = "";
    follow(run, { follow: server.follow, window: server.window, history: server.history });
  };
  watch("value", () => start(props.value.run));
  start(props.value.run);
}

function layout(node) {
  const button = (id, text, title) => make("button", { type: "button", id, title, disabled: true }, text);
  const view = {
    bar: make("progress", { max: 1, value: 0 }),
    headline: make("strong"),
    numbers: make("span"),
    note: make("div", { className: "live-note" }),
    toggle: button("pause", "Pause", ""),
    step: button("step", "Step", "Take one batch, and look at it"),
    stop: button("stop", "Stop", "End this run after this batch; the form is then free for another one"),
    reset: button("reset", "Reset", "Begin anew with the settings of this run, which stays in the list of runs"),
  };
  const status = make(
    "div",
    { className: "live-status" },
    make("div", { className: "live-line" }, view.headline, view.numbers),
    view.bar,
    view.note,
  );
  status.setAttribute("role", "status");
  node.append(make("div", { className: "live-buttons" }, view.toggle, view.step, view.stop, view.reset), status);
  return view;
}

function fill(view, node, refused) {
  const { state, message, about, progress } = feed;
  const { title, going = false, resumable = false } = STATES[state] ?? { title: state ? GONE : NOTHING_YET };
  view.headline.textContent = title;
  view.numbers.textContent = progress ? described(progress, state) : "";
  view.bar.value = progress ? progress.step / progress.total_steps : 0;
  node.dataset.state = state;
  view.note.textContent = refused || [message, about?.settings, about?.why_data].filter(Boolean).join(" · ");
  view.note.classList.toggle("live-refused", Boolean(refused));
  view.toggle.textContent = resumable ? "Resume" : "Pause";
  view.toggle.title = resumable
    ? "Go on exactly where it was"
    : "Pause after this batch, and go on later exactly there";
  view.toggle.disabled = !(going || resumable);
  view.step.disabled = going || state === "finished" || state === "gone";
  view.stop.disabled = !(going || state === "paused");
  view.reset.disabled = going || !state || state === "gone";
}

function described(
  { step, total_steps: total, epoch, images_per_second: speed, learning_rate: rate, sigma, seconds, left },
  state,
) {
  const count = (n) => Math.round(n).toLocaleString("en");
  const time = state === "running" ? `${duration(left)} left` : `${duration(seconds)} of training`;
  return `step ${count(step)} of ${count(total)} · epoch ${epoch.toFixed(1)} · learning rate ${Number(rate.toPrecision(2))}${sigma ? ` · σ ${Number(sigma.toPrecision(3))}` : ""} · ${count(speed)} images/s · ${time}`;
}
