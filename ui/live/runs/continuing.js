// Asks before a new run goes on with another one's weights: what it is, and in which settings it differs.

import { make } from "../shared/page.js";

/** @import { Planned } from "../shared/types.js" */

/** An event of the window: the form is to mark the fields at fault, which are its detail. */
export const FAULTS = "vae-faults";

/**
 * Shows what would be started, and asks.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Planned} plan
 * @param {() => void} start
 */
export function askToContinue(dialog, plan, start) {
  const close = () => dialog.close();
  const then = (/** @type {string} */ text, /** @type {() => void} */ act) => {
    const onclick = () => {
      close();
      act();
    };
    return make("button", { type: "button", className: "live-primary", onclick }, text);
  };
  const cancel = make("button", { type: "button", className: "live-quiet", onclick: close }, "Cancel");
  const { faults } = plan;
  const mend = () => dispatchEvent(new CustomEvent(FAULTS, { detail: faults }));
  const what = faults ? refused(faults) : described(plan);
  const yes = faults ? then("Go to the settings", mend) : then("Start", start);
  dialog.replaceChildren(...what, make("div", { className: "live-buttons" }, yes, cancel));
  dialog.showModal();
  yes.focus();
}

/** @param {Record<string, string>} faults */
function refused(faults) {
  const lines = Object.values(faults).map((sentence) => make("li", {}, sentence));
  return [make("p", {}, "The settings in Train cannot be used:"), make("ul", {}, ...lines)];
}

/** @param {Planned} plan */
function described({ title, name, step, differs = [], stays = [] }) {
  const of = step ? ` of step ${step.toLocaleString("en")}` : "";
  const parts = [
    make("h2", {}, `Continue “${title}”`),
    make("p", {}, `A new run, “${name}”, begins with the weights${of} and the settings in Train.`),
  ];
  const row = (/** @type {string[]} */ cells, /** @type {"td" | "th"} */ tag) =>
    make("tr", {}, ...cells.map((text) => make(tag, {}, text)));
  const lines = differs.map(({ title: setting, old, new: now }) => row([setting, old, now], "td"));
  if (lines.length) parts.push(make("table", {}, row(["Setting", "was", "will be"], "th"), ...lines));
  else parts.push(make("p", {}, "No setting differs: change them in Train first, if they should."));
  const kept = stays.map(({ title: setting, value }) => `${setting} ${value}`).join(", ");
  const model = kept ? `The model stays what it is, whatever Train says: ${kept}.` : "The model stays what it is.";
  parts.push(make("p", { className: "live-stays" }, `${model} Both warm-ups and the optimizer begin again.`));
  return parts;
}
