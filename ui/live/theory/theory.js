// The Theory tab: the model as a machine that one can try, and what to try next.

import { plotly } from "../charts/chart.js";
import { LiveMachine } from "../machine/live.js";
import { make, nats, openTab, rootOf } from "../shared/page.js";

/** @import { Place } from "../machine/live.js" */
/**
 * What to do next: the sentence that invites to it, and where its mark stands.
 *
 * @typedef {{ invitation: string, mark: HTMLElement }} Step
 */

const soon = globalThis.requestIdleCallback ?? setTimeout; // older Safaris have none
const CLAIM = "A picture becomes a place, and a place a picture.";
const CLOSED = 0.5; // nats of a gap that is called none
const TEXT = {
  refine: "q is where the encoder puts this digit. Find the best q: the gap shrinks.",
  thrown: "Now throw ε: each draw of q is another z, and another picture.",
  drawn: "Draw over the digit, and see every number answer. Or point at the map: each place is a picture.",
  train: "All this was learned from pictures alone. Train one yourself, and watch the map grow.",
};

/**
 * The tab.
 *
 * @param {Place} component
 */
export function mount(component) {
  const message = make("div", { className: "live-message", role: "status" });
  const say = (/** @type {string} */ text) => {
    message.textContent = text;
  };
  let isStroked = false; // a hand has drawn; its stroke is done once it is answered
  const live = new LiveMachine(component, {
    say,
    start: "Draw a digit.",
    saw: (_, resting) => {
      refine.disabled = false;
      if (isStroked && resting) lead.done("drawn");
      soon(() => plotly().catch(() => {})); // for the tabs with charts, which say what is wrong
    },
    cleared: () => {
      refine.disabled = true;
    },
    refined: (gap) => {
      lead.done("refine");
      say(gap === null ? "" : left(gap));
    },
    thrown: () => lead.done("thrown"),
    stroked: () => {
      isStroked = true;
    },
  });
  const button = (/** @type {string} */ textContent, /** @type {() => void} */ onclick, className = "") =>
    make("button", { type: "button", textContent, onclick, className });
  const refine = button("Find the best q", () => live.scales.refine(), "live-primary");
  refine.disabled = true;
  const train = button("Train one yourself", () => openTab("train"));
  train.hidden = true; // until it is next
  const lead = new Lead({
    refine: { invitation: TEXT.refine, mark: refine },
    thrown: { invitation: TEXT.thrown, mark: live.die.control },
    drawn: { invitation: TEXT.drawn, mark: live.surface.node },
    train: { invitation: TEXT.train, mark: train },
  });
  rootOf(component.element).append(
    make("h2", { className: "live-claim", textContent: CLAIM }),
    lead.node,
    live.node,
    make("div", { className: "live-below" }, live.scales.gauge.node, make("div", {}, refine, train, message)),
  );
  live.begin();
}

/**
 * What a refinement left of the gap, in words.
 *
 * @param {number} gap
 */
const left = (gap) =>
  gap < CLOSED
    ? "No gap is left to speak of: the ELBO is log p(x) now."
    : `${nats(gap)} nats are left: the orange posterior is no such ellipse.`;

/** Leads from one thing to do to the next, in any order: a mark stands at the first that was not done yet. */
class Lead {
  node = make("p", { className: "live-lead" });
  /** @type {Set<string>} */
  #done = new Set();

  /** @param {Record<string, Step>} steps in their order; the last one is never done */
  constructor(steps) {
    this.steps = steps;
    this.#show();
  }

  /** @param {string} step */
  done(step) {
    this.#done.add(step);
    this.#show();
  }

  #show() {
    const all = Object.entries(this.steps);
    const [, next] = all.find(([name]) => !this.#done.has(name)) ?? all[all.length - 1];
    for (const [, { mark }] of all) mark.classList.toggle("live-next", mark === next.mark);
    next.mark.hidden = false;
    this.node.textContent = next.invitation;
  }
}
