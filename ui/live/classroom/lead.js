// Where the lecturer leads: this page goes to the same place, and back to what it was at before.

import { choices } from "../map/choices.js";
import { openTab, shownTab } from "../shared/page.js";
import { onNews, room, say } from "./news.js";

const OWN = "vae-own-place"; // in the browser's storage of this visit: where the visitor was
const LED = "vae-led"; // the number of the place that the page has gone to
const OWN_TABS = ["class"]; // where nobody can be led
const WITH_FORM = ["train", "elbo"];
const IN_PLACE = ["tab", "card", "short"]; // what can change without loading the page

/** @type {() => void} */
let led = () => {};

/**
 * Has a view told just before the page goes where the lecturer leads.
 *
 * @param {() => void} view
 */
export function onLed(view) {
  led = view;
}

/** Begins to go where the lecturer leads. */
export function begin() {
  onNews(() => {
    const { place, me, is_lecturer } = room;
    if (!place || !me?.follows || is_lecturer || sessionStorage.getItem(LED) === String(place.number)) return;
    sessionStorage.setItem(LED, String(place.number));
    if (!sessionStorage.getItem(OWN)) sessionStorage.setItem(OWN, here());
    led();
    go(place.address);
  });
}

/** The address of what the page shows now. */
export function here() {
  const now = new URLSearchParams(location.search);
  if (shownTab() === "theory") now.set("card", choices.card);
  now.set("tab", shownTab() ?? "theory");
  return `?${now}${location.hash}`;
}

/** Whether all can be led to what is shown. */
export const canLead = () => !OWN_TABS.includes(shownTab() ?? "");

/** Whether the page has been led away from the visitor's own work. */
export const isAway = () => Boolean(sessionStorage.getItem(OWN));

/** Leaves the lecturer's way, and goes back to where the visitor was. */
export async function back() {
  const own = sessionStorage.getItem(OWN);
  sessionStorage.removeItem(OWN);
  const refused = await say("follow", { follows: false });
  if (own) go(own);
  return refused;
}

/** Follows the lecturer again. */
export function follow() {
  sessionStorage.removeItem(LED);
  return say("follow", { follows: true });
}

/**
 * Goes to an address of this page: in place where only the tab or the card is another one, else by loading it. What it
 * does not name stays as it is, but for the form's settings: they are a set-up as a whole.
 *
 * @param {string} address
 */
function go(address) {
  const [search, hash = ""] = address.split("#");
  const [next, now] = [new URLSearchParams(search), new URLSearchParams(here().split("#")[0])];
  const names = [...next.keys(), ...(WITH_FORM.includes(next.get("tab") ?? "") ? now.keys() : [])];
  const others = names.filter((name) => !IN_PLACE.includes(name));
  const isHere = others.every((name) => next.get(name) === now.get(name)) && (!hash || `#${hash}` === location.hash);
  if (!isHere) {
    location.assign(`${location.pathname}${address}`);
    return;
  }
  if (next.get("tab") === "theory") dispatchEvent(new CustomEvent("vae-card", { detail: next.get("card") ?? "" }));
  openTab(next.get("tab") ?? "theory");
}
