// The ways from the followed run to others: its link, and from a run that is another browser's to one's own.

import { isShared } from "../page/followed.js";
import { copyLink, linkToRun } from "../page/link.js";
import { askToContinue } from "../runs/continuing.js";
import { feed } from "../shared/feed.js";
import { make } from "../shared/page.js";
import { STATES } from "../shared/vocabulary.js";
import { forgetSetUp } from "./setup.js";

/** @import { Component, Planned } from "../shared/types.js" */
/**
 * What Python answers about a run: that the form has its settings, what would be started, or what is wrong.
 *
 * @typedef {{ run: string, at: string, filled?: boolean, plan?: Planned, error?: string }} Forked
 */

const FILL = "Fill the form with the settings of this run; change one, and press Train";
const WEIGHTS = "A new run of yours that begins with this run's weights and the settings in the form; asks first";
const FILLED = "The form has the settings of this run: change one, and press Train.";

/** Whose the followed run is, where it is another browser's and known; else "". */
export const origin = () => (isShared() && feed.about ? `Shared with you: ${feed.about.title}` : "");

/**
 * The buttons, and a line that says what became of them.
 *
 * @param {Pick<Component<Forked | null>, "props" | "watch" | "trigger">} component
 */
export function fork({ props, watch, trigger }) {
  const dialog = make("dialog", { className: "live-dialog" });
  const fill = make("button", { type: "button", title: FILL }, "Use these settings");
  const weights = make("button", { type: "button", title: WEIGHTS }, "Continue from its weights");
  const copy = make("button", { type: "button", className: "live-quiet" }, "Copy link to this run");
  const told = make("div", { className: "live-note", role: "status", hidden: true });
  let about = ""; // the run that the line is about

  const tell = (/** @type {string} */ sentence, isWrong = false) => {
    about = feed.run;
    told.textContent = sentence;
    told.hidden = !sentence;
    told.classList.toggle("live-refused", isWrong);
  };
  fill.onclick = () => trigger("fill", { run: feed.run });
  weights.onclick = () => trigger("plan", { run: feed.run });
  copy.onclick = async () => {
    const link = linkToRun(feed.run);
    tell((await copyLink(copy, link, "The link is below")) ? "" : link);
  };
  watch("value", () => {
    if (!props.value || props.value.run !== feed.run) return; // another run is followed meanwhile
    const { run, filled, plan, error = plan?.error } = props.value;
    if (filled) forgetSetUp(); // the address had another one
    tell(error ?? (filled ? FILLED : ""), Boolean(error));
    if (plan && !error) askToContinue(dialog, plan, () => trigger("train_on", { run }));
  });

  return {
    copy,
    node: make("div", { className: "live-fork" }, fill, weights, told, dialog),
    /** Shows what is offered of the followed run now. */
    draw() {
      const isThere = Boolean(feed.about && STATES[feed.state]);
      copy.hidden = !isThere || Boolean(feed.about?.is_recorded);
      fill.hidden = !isThere || !isShared();
      weights.hidden = fill.hidden || !feed.newest;
      if (about !== feed.run) tell("");
    },
  };
}
