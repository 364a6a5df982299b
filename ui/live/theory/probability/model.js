// The first card: the model as a machine that one can try, and what to try next.

import { plotly } from "../../charts/chart.js";
import { LiveMachine } from "../../machine/live.js";
import { make, nats } from "../../shared/page.js";
import { Sampler } from "./sampler.js";

/** @import { Place } from "../deck.js" */
/** @import { Build } from "../frame.js" */
/**
 * What to do next: the sentence that invites to it, and where its mark stands.
 *
 * @typedef {{ invitation: string, mark: HTMLElement }} Step
 */

const soon = globalThis.requestIdleCallback ?? setTimeout; // older Safaris have none
const CLOSED = 0.5; // nats of a gap that is called none
const TEXT = {
  refine: "The encoder puts this digit at q. Find the best q: the gap shrinks.",
  thrown: "Now throw ε: each draw of q is another z, and another picture.",
  drawn: "Draw over the digit, and see every number answer. Or point at the map: each place is a picture.",
  sampled: "Now without any picture: sample z from the prior. But first, a question.",
  done: "So the model makes pictures. The next cards derive how it learns to, line by line.",
};

/**
 * @param {Parameters<Build>[0]} frame
 * @param {Place} component
 * @returns {ReturnType<Build>}
 */
export function build(frame, component) {
  let isStroked = false; // a hand has drawn; its stroke is done once it is answered
  const live = new LiveMachine(
    /** @type {import("../../machine/live.js").Place} */ ({ ...component, element: frame.node }),
    {
      say: (text) => frame.say(text),
      start: "Draw a digit.",
      saw: (_, resting) => {
        refine.disabled = false;
        if (isStroked && resting) lead.done("drawn");
        soon(() => plotly().catch(() => {})); // for the tabs with charts, which say what is wrong
      },
      cleared: () => {
        refine.disabled = true;
      },
      about: () => sampler.begin(),
      refined: (gap) => {
        lead.done("refine");
        frame.say(gap === null ? "" : left(gap));
      },
      thrown: () => lead.done("thrown"),
      stroked: () => {
        isStroked = true;
      },
    },
  );
  const refine = make("button", { type: "button", className: "live-primary", textContent: "Find the best q" });
  refine.onclick = async () => {
    refine.textContent = "Finding the best q …";
    refine.disabled = true;
    await live.scales.refine();
    refine.textContent = "Find the best q";
    refine.disabled = !live.surface.drawing();
  };
  refine.disabled = true;
  const sampler = new Sampler(live, () => {
    frame.done();
    lead.done("sampled");
  });
  const lead = new Lead({
    refine: { invitation: TEXT.refine, mark: refine },
    thrown: { invitation: TEXT.thrown, mark: live.die.control },
    drawn: { invitation: TEXT.drawn, mark: live.surface.node },
    sampled: { invitation: TEXT.sampled, mark: sampler.control },
    done: { invitation: TEXT.done, mark: document.createElement("i") },
  });
  frame.buttons.prepend(refine, sampler.control);
  const side = make("div", {}, frame.buttons);
  live.die.control.classList.toggle("live-later", !frame.isDone); // one thing at a time
  lead.onStep = (name) => {
    frame.node.classList.toggle("live-asks", ["sampled", "done"].includes(name));
    if (lead.isBegun) live.die.control.classList.remove("live-later");
  };
  frame.picture.append(lead.node, live.node, make("div", { className: "live-below" }, live.scales.gauge.node, side));
  live.begin();
  return {};
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
  /** @type {(step: string) => void} */
  onStep = () => {};

  /** @param {Record<string, Step>} steps in their order; the last one is never done */
  constructor(steps) {
    this.steps = steps;
    this.#show();
  }

  /** Whether anything is done. */
  get isBegun() {
    return this.#done.size > 0;
  }

  /** @param {string} step */
  done(step) {
    this.#done.add(step);
    this.#show();
  }

  #show() {
    const all = Object.entries(this.steps);
    const [name, next] = all.find(([name]) => !this.#done.has(name)) ?? all[all.length - 1];
    for (const [, { mark }] of all) mark.classList.toggle("live-next", mark === next.mark);
    next.mark.hidden = false;
    this.node.textContent = next.invitation;
    this.onStep(name);
  }
}
