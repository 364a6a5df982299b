// The address bar is the state: tab, model, point and map, so that a link opens exactly this view again. Each tab that
// is opened is a step of the browser's history; what moves within one is not.

import { choices } from "../map/choices.js";
import { debounced } from "../shared/ask.js";
import { model, onModel } from "../shared/model.js";
import { count, openTab, shownTab } from "../shared/page.js";
import { isPoint, movePoint, onPoint, point, START } from "../space/point.js";
import { shared } from "./followed.js";
import { addressWith, putAddress } from "./link.js";

/** @import { Component, Place } from "../shared/types.js" */

const REST = 250; // ms without a change after which the address follows: browsers limit how often it may
const SWITCHED = 20; // ms after another tab is chosen, for Gradio to be done
const DIGITS = 3;

const link = new URLSearchParams(location.search); // that the page was opened with
const plane = link.get("plane") ?? "";
const scale = link.get("scale") ?? "";
const zoom = link.get("zoom") ?? "";
const ends = zoom.split(",").map(Number); // of the map: from and to across, from and to upwards
const isPlane = /^(\d+,\d+|principal)?$/.test(plane);
const isScale = ["quantiles", "square", ""].includes(scale);
const isZoom = ends.length === 4 && ends.every(Number.isFinite) && ends[0] < ends[1] && ends[2] < ends[3];
if (isPlane) choices.plane = plane;
if (isScale && scale) choices.scale = scale;
if (zoom && isZoom) choices.zoom = ends;
choices.way = link.get("way") ?? "";
choices.card = link.get("card") ?? "";
choices.short = link.get("short") ?? "";
let wanted = link.get("z"); // until there is a model that it can be shown of

let used = ""; // the model that Draw and Latents use; nothing is written before it is known
const soon = debounced(write, REST);

/**
 * Keeps the address.
 *
 * @param {Component<{ model: string }>} component
 */
export function mount({ props, watch }) {
  const use = () => {
    used = props.value.model;
    soon();
  };
  watch("value", use);
  use();
  onPoint(({ by }) => {
    if (by !== START) wanted = null; // a point that was sent to Latents comes before that of the link
    soon();
  });
  addEventListener("vae-view", () => soon());
  addEventListener("popstate", () => openTab(new URLSearchParams(location.search).get("tab") ?? "theory"));
  const chosen = new MutationObserver((changes) => {
    if (changes.some(({ target }) => target instanceof Element && target.role === "tab")) soon(SWITCHED);
  });
  chosen.observe(document.body, { subtree: true, attributeFilter: ["aria-selected"] }); // by a press, or by Python
}

/**
 * Goes to the point of the link that the page was opened with.
 *
 * @param {Pick<Place, "say">} place the Latents tab
 */
export function goToLink({ say }) {
  const views = Object.entries({ plane: isPlane, scale: isScale, zoom: !zoom || isZoom });
  const bad = views.find(([, isGood]) => !isGood);
  let unsaid = bad ? `The link's ${bad[0]} cannot be used.` : "";
  onModel(({ id, about }, isOther) => {
    if (!about || !isOther) return;
    if (unsaid) say(unsaid);
    unsaid = "";
    if (wanted === null) return;
    const z = wanted.split(",").map(Number);
    if (link.has("model") && link.get("model") !== id) return; // another one is in use for the moment, or it is gone
    wanted = null;
    const [has, needs] = [count(z.length, "coordinate"), count(about.dims.length, "dimension")];
    if (z.length !== about.dims.length) say(`The link's point has ${has}, and this model ${needs}.`);
    else if (!isPoint(z)) say("The link's point is not made of numbers.");
    else movePoint(z);
  });
}

function write() {
  const tab = shownTab();
  if (!used || !tab) return;
  const now = new URLSearchParams(location.search);
  const before = now.get("tab");
  const zoom = choices.zoom?.map((value) => Number(value.toFixed(DIGITS))).join(",");
  const cards = tab === "theory" ? {} : { card: "", short: "" };
  const state = Object.entries({ tab, run: shared, model: used, z: pointNow(), ...choices, zoom, ...cards });
  for (const [name] of state) now.delete(name);
  for (const [name, value] of state) if (value) now.set(name, value);
  if (before && before !== tab) history.pushState(history.state, "", addressWith(now));
  else putAddress(addressWith(now));
}

/** The point of the model in use as the address has it; the link's own until Latents was opened. */
function pointNow() {
  if (model.id === used && model.about && point.z)
    return [...point.z].map((value) => Number(value.toFixed(DIGITS))).join(",");
  return link.get("model") === used && wanted !== null ? wanted : "";
}
