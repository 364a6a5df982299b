// The address bar is the state: tab, model, point and map, so that a link opens exactly this view again. Each tab that is
// opened is a step of the browser's history; what moves within one is not.

import { choices } from "../latents/map.js";
import { model, onModel } from "../shared/model.js";
import { onPoint, point } from "../shared/point.js";
import { openTab } from "../shared/page.js";

const REST = 250; // ms without a change after which the address follows: browsers limit how often it may
const AT_ONCE = 20; // ms after another tab is chosen, for Gradio to be done
const KEPT = ["tab", "model", "z", "plane", "scale"];
const DIGITS = 3;

const link = new URLSearchParams(location.search); // that the page was opened with
if (/^(\d+,\d+|principal)$/.test(link.get("plane") ?? "")) choices.plane = link.get("plane");
if (["quantiles", "square"].includes(link.get("scale"))) choices.scale = link.get("scale");
let wanted = link.get("z"); // until there is a model that it can be shown of

let used = ""; // the model that Draw and Latents use; nothing is written before it is known

/** Keeps the address. Its value from Python is {model}. */
export function mount({ props, watch }) {
  const use = () => {
    used = props.value.model;
    soon();
  };
  watch("value", use);
  use();
  onPoint(({ by }) => {
    if (by === "draw") wanted = null; // a point that was sent to Latents comes before that of the link
    soon();
  });
  addEventListener("vae-view", () => soon());
  addEventListener("popstate", () => openTab(titled(new URLSearchParams(location.search).get("tab") ?? "train")));
  const chosen = new MutationObserver(
    (changes) => changes.some(({ target }) => target.role === "tab") && soon(AT_ONCE),
  );
  chosen.observe(document.body, { subtree: true, attributeFilter: ["aria-selected"] }); // by a press, or by Python
}

/** Goes to the point of the link that the page was opened with; move and say of the Latents tab. */
export function goToLink({ move, say }) {
  onModel(({ id, about }, anew) => {
    if (!about || !anew || wanted === null) return;
    const z = wanted.split(",").map(Number);
    if (link.has("model") && link.get("model") !== id) return; // another one is in use for the moment, or it is gone
    wanted = null;
    if (z.length !== about.dims.length)
      return say(
        `The link's point has ${count(z.length, "coordinate")}, and this model ${count(about.dims.length, "dimension")}.`,
      );
    if (!z.every(Number.isFinite)) return say("The link's point is not made of numbers.");
    move(z);
  });
}

let timer = 0;
function soon(ms = REST) {
  clearTimeout(timer);
  timer = setTimeout(write, ms);
}

function write() {
  const tab = document.querySelector('[role="tab"][aria-selected="true"]')?.textContent.trim().toLowerCase();
  if (!used || !tab) return;
  const now = new URLSearchParams(location.search);
  const before = now.get("tab");
  for (const name of KEPT) now.delete(name);
  const state = { tab, model: used, z: pointNow(), ...choices };
  for (const name of KEPT) if (state[name]) now.set(name, state[name]);
  const address = `${location.pathname}?${now.toString().replaceAll("%2C", ",")}${location.hash}`;
  if (before && before !== tab) history.pushState(history.state, "", address);
  else history.replaceState(history.state, "", address);
}

/** The point of the model in use as the address has it; the link's own until Latents was opened. */
function pointNow() {
  if (model.id === used && model.about && point.z)
    return [...point.z].map((value) => Number(value.toFixed(DIGITS))).join(",");
  return link.get("model") === used && wanted !== null ? wanted : "";
}

const titled = (tab) =>
  [...document.querySelectorAll('[role="tab"]')]
    .map((node) => node.textContent.trim())
    .find((title) => title.toLowerCase() === tab);
const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
