// The class on every page: a strip that says so, with what a participant or the lecturer can do from anywhere; the
// question; and the sheet of a pause.

import { count, make, openTab, rootOf } from "../shared/page.js";
import { back, begin as beginToFollow, canLead, follow, here, isAway } from "./lead.js";
import { act, begin, onNews, room, say } from "./news.js";
import { sheet } from "./pause.js";
import { panel } from "./vote.js";

/** @import { Component } from "../shared/types.js" */

const MOST_NAME = 40;

/** @param {Component} component */
export function mount({ element }) {
  beginToFollow(); // first, so that the strip knows of it
  const said = make("span", { className: "live-message", role: "status" });
  const strip = make("aside", { className: "live-class-strip", ariaLabel: "Class", hidden: true });
  strip.append(participant(said), lecturer(said), said);
  rootOf(element).append(strip, panel(), sheet());
  let wasLecturer = false;
  onNews(() => {
    for (const node of [document.body, document.querySelector(".contain > *")]) // as in page/header.js
      node?.classList.toggle("lecturer", room.is_lecturer);
    if (room.is_lecturer !== wasLecturer) dispatchEvent(new Event("resize")); // Gradio counts again how many tabs fit
    wasLecturer = room.is_lecturer;
    strip.hidden = !room.is_open || !(room.me || room.is_lecturer);
    document.documentElement.style.setProperty("--strip", strip.hidden ? "0px" : `${strip.offsetHeight}px`);
  });
  begin();
}

/** @param {HTMLElement} said */
function participant(said) {
  const title = make("strong");
  const box = make("input", { type: "checkbox" });
  const label = make("label", {}, box, "Follow the lecturer");
  const home = make("button", { type: "button", className: "live-quiet", textContent: "Back to my work" });
  const name = make("input", {
    className: "live-field",
    type: "text",
    maxLength: MOST_NAME,
    placeholder: "My name",
  });
  name.ariaLabel = "My name";
  name.title = "Only the lecturer sees it, and nobody needs one";
  box.onchange = async () => {
    said.textContent = await (box.checked ? follow() : say("follow", { follows: false }));
  };
  home.onclick = async () => {
    said.textContent = await back();
  };
  name.onchange = async () => {
    said.textContent = await say("name", { name: name.value });
  };
  const node = make("div", { className: "live-class-mine" }, title, label, home, name);
  onNews(() => {
    const { me, is_lecturer } = room;
    node.hidden = !me || is_lecturer;
    if (!me) return;
    title.textContent = `Class · you are number ${me.number}`;
    box.checked = me.follows;
    home.hidden = !isAway();
    if (document.activeElement !== name) name.value = me.name;
  });
  return node;
}

/** @param {HTMLElement} said */
function lecturer(said) {
  const button = (/** @type {string} */ textContent, /** @type {string} */ title) =>
    make("button", { type: "button", textContent, title });
  const everyone = button("Everyone here", "All who follow see what you see now");
  const release = button("Let them go", "Nobody is led here any longer");
  const pause = button("Pause all", "All pages dim, and all trainings wait");
  const desk = button("Class", "Ask, and see who is where");
  everyone.onclick = async () => {
    said.textContent = canLead()
      ? await act("lead", { address: here() })
      : "Open what all should see, and press it there.";
  };
  release.onclick = async () => {
    said.textContent = await act("release");
  };
  pause.onclick = async () => {
    said.textContent = await act("pause", { is_paused: !room.is_paused });
  };
  desk.onclick = () => openTab("class");
  const title = make("strong");
  const node = make("div", { className: "live-class-mine" }, title, everyone, release, pause, desk);
  onNews(() => {
    const { is_lecturer, is_paused, place, class: known } = room;
    node.hidden = !is_lecturer;
    title.textContent = known ? `Class · ${count(known.members.length, "participant")}` : "Class";
    release.hidden = !place;
    pause.textContent = is_paused ? "Go on" : "Pause all";
    pause.classList.toggle("live-primary", is_paused);
  });
  return node;
}
