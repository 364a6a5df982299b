// The header's two switches: Present, with larger text and without what only the operator needs, and Help.

import { make, openTab, rootOf } from "../shared/page.js";

/** @import { Component } from "../shared/types.js" */

const KEPT = "vae-present"; // in the browser's local storage
const OPEN = "dialog[open], :popover-open"; // which Escape closes first
const OWN_ESCAPE = "input, select, textarea, canvas"; // for which it has another use

/** What can be done on each tab, in a sentence, by the tab's id. @type {Record<string, [string, string]>} */
const TABS = {
  theory: ["Theory", "See the model as a machine, and try what each of its parts does."],
  train: ["Train", "Press Train, or choose a set-up first, and watch the loss come apart while the model learns."],
  elbo: ["ELBO", "Follow both terms of the ELBO, and the KL of each latent dimension, over the whole training."],
  draw: ["Draw", "Draw over the digit. Then find the best q: the gap to log p(x) closes before your eyes."],
  latents: ["Latents", "Drag a slider or the point on the map: the decoder shows what lies there."],
  runs: ["Runs", "Compare your trainings, go on with one, or take it home as a file."],
};

/**
 * The switches.
 *
 * @param {Component} component
 */
export function mount({ element }) {
  const present = make("button", { type: "button", className: "live-quiet", textContent: "Present" });
  present.title = "Larger text for a projector, and nothing that only the operator needs";
  const show = (/** @type {boolean} */ isOn) => {
    // Gradio puts its own ".contain" before the selectors of a media query: these need the class below it.
    for (const node of [document.body, document.querySelector(".contain > *")]) node?.classList.toggle("present", isOn);
    present.ariaPressed = String(isOn);
    dispatchEvent(new Event("resize")); // charts take their new size
  };
  const isPresent = () => document.body.classList.contains("present");
  const turn = (/** @type {boolean} */ isOn) => {
    localStorage.setItem(KEPT, isOn ? "yes" : "");
    show(isOn);
  };
  present.onclick = () => turn(!isPresent());
  const leave = (/** @type {KeyboardEvent} */ { key, target }) => {
    if (key !== "Escape" || !isPresent() || document.querySelector(OPEN)) return;
    if (target instanceof Element && target.matches(OWN_ESCAPE)) return;
    turn(false);
  };
  document.addEventListener("keydown", leave, { capture: true }); // before Escape has closed what is open
  const dialog = help();
  const open = make("button", { type: "button", className: "live-quiet", textContent: "Help" });
  open.onclick = () => dialog.open();
  rootOf(element).append(present, open, dialog.node);
  show(localStorage.getItem(KEPT) === "yes");
}

/** The dialog that says what can be done where, and what the server computes on. */
function help() {
  const about = make("p");
  const close = make("button", { type: "button", textContent: "Close" });
  const node = make("dialog", { className: "live-dialog live-help", ariaLabel: "Help" });
  const line = (/** @type {[string, [string, string]]} */ [id, [name, sentence]]) => {
    const go = make("button", { type: "button", className: "live-quiet", textContent: name });
    go.onclick = () => {
      node.close();
      openTab(id);
    };
    return make("p", {}, go, " ", sentence);
  };
  const words = make("p", {}, "A dotted word, or an i in a circle, explains itself when you point at it or press it.");
  node.append(make("h2", {}, "What to do here"), ...Object.entries(TABS).map(line), words, about, close);
  close.onclick = () => node.close();
  node.onclick = (event) => {
    if (event.target === node) node.close(); // beside it
  };
  return {
    node,
    open() {
      about.textContent = document.querySelector(".page-footer")?.textContent ?? "";
      node.showModal();
    },
  };
}
