// How far the followed run is. Its value from Python, {run}, says which one that is for the whole page.

import { feed, follow, show } from "./feed.js";
import { make } from "./page.js";

const STATES = {
  "": "No training yet: choose settings and press Train.",
  waiting: "Waiting", loading: "Loading", running: "Training", finished: "Finished", stopped: "Stopped", failed: "Failed",
  interrupted: "Interrupted",
};

export function mount({ element, props, server, watch, trigger }) {
  const bar = make("progress", { max: 1, value: 0 });
  const headline = make("strong");
  const numbers = make("span");
  const note = make("div", { className: "live-note" });
  const node = element.querySelector(".live");
  node.setAttribute("role", "status");
  node.append(make("div", { className: "live-line" }, headline, numbers), bar, note);

  let told = "";
  show(element, ({ run, state, message, data, settings, progress }) => {
    headline.textContent = STATES[state] ?? state;
    numbers.textContent = progress ? described(progress, state) : "";
    bar.value = progress ? progress.step / progress.total_steps : 0;
    node.dataset.state = state;
    note.textContent = [message, settings, data].filter(Boolean).join(" · ");
  });

  // Python is told of a state's change even while this tab is out of sight.
  setInterval(() => {
    const now = `${feed.run} ${feed.state} ${Boolean(feed.pictures)}`;
    if (feed.run && now !== told) {
      told = now;
      trigger("changed", { run: feed.run, state: feed.state });
    }
  }, 200);

  const start = () => follow(props.value.run, (request) => server.follow(request));
  watch("value", start);
  start();
}

function described({ step, total_steps: total, epoch, images_per_second: speed, seconds, left }, state) {
  const count = (n) => Math.round(n).toLocaleString("en");
  const time = state === "running" ? `${duration(left)} left` : `${duration(seconds)} of training`;
  return `step ${count(step)} of ${count(total)} · epoch ${epoch.toFixed(1)} · ${count(speed)} images/s · ${time}`;
}

function duration(seconds) {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
