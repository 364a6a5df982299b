// How far the followed run is, and the buttons that steer it. The value from Python, {run, browser}, says which run the
// whole page follows.

import { browser, isShared } from "../page/followed.js";
import { useModelIn } from "../page/leads.js";
import { answerOf, failed } from "../shared/ask.js";
import { feed, follow, refresh, show } from "../shared/feed.js";
import { duration, make, minus, openTab, rootOf } from "../shared/page.js";
import { STATES } from "../shared/vocabulary.js";
import { Announcer } from "./announcer.js";
import { offersOf } from "./buttons.js";
import { fork, origin } from "./fork.js";
import { RECORDED } from "./recorded.js";

/** @import { Component, Progress } from "../shared/types.js" */
/** @import { Forked } from "./fork.js" */
/** @typedef {Component<Forked | null, "steer">} Steered */
/** @typedef {ReturnType<typeof layout>} View */

const NOTHING_YET = "No training yet: choose settings and press Train.";
const GONE = "Gone";
const FORM = ".train-settings"; // on a phone it stands below what moves
const BUTTONS = /** @type {const} */ (["toggle", "stop", "step", "reset"]);

/**
 * The buttons and the line of progress.
 *
 * @param {Steered} component
 */
export function mount({ element, props, server, watch, trigger }) {
  const node = rootOf(element);
  const view = layout(node, fork({ props, watch, trigger }));
  let refused = ""; // why the last press of a button did nothing
  let unheard = false; // because the server did not answer
  let drawn = ""; // the run and the state that are shown

  const steer = async (/** @type {string} */ how) => {
    if (how === "first") {
      trigger("first", {});
      return;
    }
    const answer = await answerOf(server.steer({ browser, run: feed.run, how }));
    refused = failed(answer) ? answer.error : "";
    unheard = failed(answer) && Boolean(answer.silent);
    if (!failed(answer) && answer.run && answer.run !== feed.run) follow(answer.run);
    else refresh();
    draw();
  };
  for (const name of BUTTONS)
    view[name].onclick = () => {
      const offer = offers()[name];
      if (offer) steer(offer.command);
    };
  view.draw.onclick = () => useModelIn("draw");
  view.latents.onclick = () => useModelIn("latents");
  view.compare.onclick = () => openTab("runs");
  view.settings.onclick = () => document.querySelector(FORM)?.scrollIntoView();

  const draw = () => {
    const now = `${feed.run} ${feed.state}`;
    if (now !== drawn || (unheard && !feed.silent)) [refused, unheard] = ["", false]; // it answers again
    drawn = now;
    fill(view, node, refused);
  };
  show(element, draw);
}

/** What is offered now. */
const offers = () =>
  offersOf(feed.state, {
    isRecorded: Boolean(feed.about?.is_recorded),
    isShared: isShared(),
    hasBegun: Boolean(feed.progress),
  });

/**
 * @param {HTMLElement} node
 * @param {ReturnType<typeof fork>} forks
 */
function layout(node, forks) {
  const button = (/** @type {string} */ id) => make("button", { type: "button", id, hidden: true });
  const view = {
    bar: make("progress", { max: 1, value: 0, ariaLabel: "Progress of the training" }),
    announcer: new Announcer(),
    forks,
    headline: make("strong"),
    origin: make("span", { className: "live-origin" }),
    numbers: make("span"),
    note: make("div", { className: "live-note" }),
    result: make("strong"),
    draw: make("button", { type: "button" }, "Draw with it"),
    latents: make("button", { type: "button" }, "Look at its latent space"),
    compare: make("button", { type: "button" }, "Compare"),
    settings: make("button", { type: "button", className: "live-to-form" }, "Settings"),
    toggle: button("pause"),
    stop: button("stop"),
    step: button("step"),
    reset: button("reset"),
  };
  const done = make("div", { className: "live-done" }, view.result, view.draw, view.latents, view.compare);
  const status = make(
    "div",
    { className: "live-status" },
    make("div", { className: "live-line" }, view.headline, view.origin, view.numbers),
    view.bar,
    done,
    forks.node,
    make("div", { className: "live-foot" }, view.note, forks.copy),
  );
  const buttons = make("div", { className: "live-buttons" }, ...BUTTONS.map((name) => view[name]), view.settings);
  node.append(buttons, status, view.announcer.node);
  return { ...view, done };
}

/**
 * @param {View} view
 * @param {HTMLElement} node
 * @param {string} refused
 */
function fill(view, node, refused) {
  const { state, message, about, progress } = feed;
  const isRecorded = Boolean(about?.is_recorded);
  const title = STATES[state]?.title ?? (state ? GONE : NOTHING_YET);
  const isBeginning = !progress && Boolean(STATES[state]?.going); // its message is all there is to say of it
  view.headline.textContent = isRecorded ? RECORDED : title;
  view.origin.textContent = origin();
  view.origin.hidden = !view.origin.textContent;
  view.forks.draw();
  view.numbers.textContent = progress ? described(progress, state) : isBeginning ? message : "";
  view.done.hidden = state !== "finished" || isRecorded || !progress || !feed.newest;
  if (!view.done.hidden && progress) view.result.textContent = result(progress);
  view.compare.hidden = isShared(); // the runs to compare are one's own
  view.bar.value = progress ? progress.step / progress.total_steps : 0;
  node.dataset.state = isRecorded ? "recorded" : state;
  const more = [isBeginning || about?.is_recorded ? "" : message, about?.settings, about?.why_data];
  view.note.textContent = refused || more.filter(Boolean).join(" · ");
  view.note.classList.toggle("live-refused", Boolean(refused));
  const now = offers();
  for (const name of BUTTONS) {
    const offer = now[name];
    view[name].hidden = view[name].disabled = !offer;
    view[name].classList.toggle("live-primary", Boolean(offer?.isPrimary));
    if (offer) Object.assign(view[name], { textContent: offer.text, title: offer.title });
  }
  if (!isRecorded) view.announcer.tell(feed, progress ? result(progress) : "", refused);
}

/**
 * What a finished training has reached, and in which time.
 *
 * @param {Progress} progress
 */
function result({ seconds }) {
  const last = feed.columns.test_elbo?.findLast((value) => value !== null);
  const reached = last === undefined || last === null ? "" : minus(`: ${last.toFixed(1)} nats`);
  return `Done${reached} in ${duration(seconds)}`;
}

/**
 * @param {Progress} progress
 * @param {string} state
 */
function described(progress, state) {
  const { step, total_steps: total, epoch, images_per_second: speed, learning_rate: rate, sigma } = progress;
  const count = (/** @type {number} */ n) => Math.round(n).toLocaleString("en");
  return [
    `step ${count(step)} of ${count(total)}`,
    `epoch ${epoch.toFixed(1)}`,
    `learning rate ${Number(rate.toPrecision(2))}`,
    sigma && `σ ${Number(sigma.toPrecision(3))}`,
    `${count(speed)} images/s`,
    state === "running" ? `${duration(progress.left)} left` : `${duration(progress.seconds)} of training`,
  ]
    .filter(Boolean)
    .join(" · ");
}
