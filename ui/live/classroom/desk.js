// The lecturer's tab: the link by which others join, questions, and who is where.

import { copyLink } from "../page/link.js";
import { addressOf, count, make, openTab, rootOf } from "../shared/page.js";
import { bars, written } from "./bars.js";
import { composer } from "./composer.js";
import { act, onNews, room } from "./news.js";

/** @import { Component } from "../shared/types.js" */
/** @import { Asked, Class, Member } from "./news.js" */

/** @param {Component} component */
export function mount({ element }) {
  const said = make("p", { className: "live-message", role: "status" });
  const tell = async (/** @type {Promise<string>} */ done) => {
    said.textContent = await done;
  };
  rootOf(element).append(said, joining(tell), asking(tell), glance());
}

/** @typedef {(done: Promise<string>) => void} Tell says why something was refused */

/** The link and its picture, which is shown large at a press. @param {Tell} tell */
function joining(tell) {
  const link = `${location.origin}${location.pathname}`;
  const address = addressOf("live/class/qr.svg");
  address.searchParams.set("link", link);
  const picture = make("img", { src: String(address), alt: `QR code of ${link}` });
  const large = make("button", { type: "button", textContent: "Show it large" });
  const copy = make("button", { type: "button", textContent: "Copy the link" });
  const dialog = make("dialog", { className: "live-dialog live-class-join", ariaLabel: "Join" });
  dialog.append(picture.cloneNode(), make("strong", { textContent: link }));
  dialog.onclick = () => dialog.close();
  large.onclick = () => dialog.showModal();
  copy.onclick = () => copyLink(copy, link);
  const end = make("button", { type: "button" });
  end.onclick = () => tell(act(room.is_open ? "close" : "open"));
  onNews(() => {
    end.textContent = room.is_open ? "End the class" : "Open the class";
  });
  const note = make(
    "p",
    {},
    make("strong", { textContent: link }),
    " · whoever opens it is in the class, without a name.",
  );
  const buttons = make("div", { className: "live-buttons" }, large, copy, end);
  return make(
    "section",
    { className: "live-class-link", ariaLabel: "Join" },
    picture,
    make("div", {}, note, buttons),
    dialog,
  );
}

/** What is asked now, or the form for another question. @param {Tell} tell */
function asking(tell) {
  const now = make("div");
  const form = composer((question) => tell(act("ask", question)));
  onNews(() => {
    form.hidden = Boolean(room.question);
    now.replaceChildren(...(room.question ? current(room.question, room.class, tell) : []));
  });
  return make("section", { ariaLabel: "Ask" }, make("h2", { textContent: "Ask" }), now, form);
}

/**
 * @param {Asked} question
 * @param {Class | null} known
 * @param {Tell} tell
 */
function current(question, known, tell) {
  const button = (/** @type {string} */ textContent, /** @type {() => Promise<string>} */ done) => {
    const node = make("button", { type: "button", textContent });
    node.onclick = () => tell(done());
    return node;
  };
  const { is_shown: isShown, round } = question;
  const voted = known ? `${known.voted} of ${known.members.length} have voted` : "";
  const note = make("p", { className: "live-class-voted", role: "status", textContent: isShown ? "" : voted });
  const card = () => {
    openTab("theory");
    dispatchEvent(new CustomEvent("vae-card", { detail: question.card }));
    return act("lead", { address: `?tab=theory&card=${question.card}` });
  };
  const buttons = [
    !isShown && button("Show the votes", () => act("show")),
    isShown && round === 1 && button("Ask again", () => act("again")),
    isShown && question.card && button("Everyone to its card", card),
    button("Take it away", () => act("take_away")),
  ].filter((it) => it !== false && it !== "");
  const counts = isShown ? question.counts : question.counts.slice(0, round - 1);
  const seen = counts.length
    ? [bars({ ...question, mine: [] }, counts)]
    : question.options.map((it) => written("p", `· ${it}`));
  return [written("p", question.text), ...seen, note, make("div", { className: "live-buttons" }, ...buttons)];
}

/** Who is where. */
function glance() {
  const title = make("h2");
  const body = make("tbody");
  const head = make("tr", {}, ...["Number", "Name", "Where", "Follows", "Vote"].map((it) => make("th", {}, it)));
  const table = make("table", { className: "live-class-people" }, make("thead", {}, head), body);
  onNews(() => {
    const { members, gone } = room.class ?? { members: [], gone: 0 };
    title.textContent = `${count(members.length, "participant")} here${gone ? `, ${gone} gone` : ""}`;
    body.replaceChildren(...members.map(line));
    table.hidden = !members.length;
  });
  return make("section", { ariaLabel: "Participants" }, title, table);
}

/** @param {Member} member */
function line({ number, name, tab, card, follows, has_voted: hasVoted }) {
  const where = document.querySelector(`[role=tab][data-tab-id="${CSS.escape(tab)}"]`)?.textContent?.trim() ?? "";
  const cells = [
    String(number),
    name,
    card ? `${where} · ${card}` : where,
    follows ? "yes" : "no",
    hasVoted ? "in" : "",
  ];
  const nodes = cells.map((text) => make("td", {}, text));
  nodes[1].className = "live-class-name";
  return make("tr", {}, ...nodes);
}
