// The address bar is the state: tab, model, point and map, so that a link opens exactly this view again.

import { choices } from "./map.js";
import { model, onModel } from "./model.js";
import { onPoint, point } from "./point.js";

const REST = 250; // ms without a change after which the address follows: browsers limit how often it may
const KEPT = ["tab", "model", "z", "plane", "scale"];
const DIGITS = 3;

const link = new URLSearchParams(location.search); // that the page was opened with
if (/^(\d+,\d+|principal)$/.test(link.get("plane") ?? "")) choices.plane = link.get("plane");
if (["quantiles", "square"].includes(link.get("scale"))) choices.scale = link.get("scale");

/** Keeps the address, and goes where the link that opened the page points; `places`: move and say of the tab. */
export function address({ move, say }) {
  let wanted = link.get("z");
  onModel(({ id, about }, anew) => {
    if (!about || !anew || wanted === null) return soon();
    const z = wanted.split(",").map(Number);
    if (link.has("model") && link.get("model") !== id) return; // another one is in use for the moment, or it is gone
    wanted = null;
    if (z.length !== about.dims.length) return say(`The link's point has ${z.length} coordinates, and this model ${about.dims.length} dimensions.`);
    if (!z.every(Number.isFinite)) return say("The link's point is not made of numbers.");
    move(z);
  });
  onPoint(soon);
  addEventListener("vae-view", soon);
  document.addEventListener("click", ({ target }) => target.closest?.('[role="tab"]') && soon());
}

let timer = 0;
function soon() {
  clearTimeout(timer);
  timer = setTimeout(write, REST);
}

function write() {
  const now = new URLSearchParams(location.search);
  for (const name of KEPT) now.delete(name);
  const tab = document.querySelector('[role="tab"][aria-selected="true"]')?.textContent.trim().toLowerCase();
  const state = { tab, model: model.id, z: point.z && model.about ? [...point.z].map((value) => Number(value.toFixed(DIGITS))).join(",") : "", ...choices };
  for (const name of KEPT) if (state[name]) now.set(name, state[name]);
  const text = now.toString().replaceAll("%2C", ",");
  history.replaceState(history.state, "", `${location.pathname}?${text}${location.hash}`);
}
