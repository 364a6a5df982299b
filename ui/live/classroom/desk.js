// The lecturer's tab: the link by which others join, questions, and who is where.

import { copyLink } from "../page/link.js";
import { addressOf, make, openTab, rootOf } from "../shared/page.js";
import { bars, written } from "./bars.js";
import { composer } from "./composer.js";
import { act, onNews, room } from "./news.js";
import { people } from "./people.js";

/** @import { Component } from "../shared/types.js" */
/** @import { Asked, Class } from "./news.js" */
/** @import { Tell } from "./people.js" */

/** @param {Component} component */
export function mount({ element }) {
  const said = make("p", { className: "live-message", role: "status" });
  const tell = async (/** @type {Promise<string>} */ done) => {
    said.textContent = await done;
  };
  rootOf(element).append(said, joining(tell), asking(tell), people(tell));
}

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
  const freeze = make("button", { type: "button", title: "Trainings that go on are not touched, and yours can begin" });
  freeze.onclick = () => tell(act("freeze", { is_frozen: !room.is_frozen }));
  const end = make("button", { type: "button" });
  end.onclick = () => tell(act(room.is_open ? "close" : "open"));
  onNews(() => {
    freeze.textContent = room.is_frozen ? "Let trainings begin again" : "No new trainings";
    freeze.classList.toggle("live-primary", room.is_frozen);
    end.textContent = room.is_open ? "End the class" : "Open the class";
  });
  const note = make(
    "p",
    {},
    make("strong", { textContent: link }),
    " · whoever opens it is in the class, without a name.",
  );
  const buttons = make("div", { className: "live-buttons" }, large, copy, freeze, end);
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
  let drawn = "";
  onNews(() => {
    const { question, class: known } = room;
    form.hidden = Boolean(question);
    const news = JSON.stringify([question, known?.voted, known?.members.length]);
    if (news !== drawn) now.replaceChildren(...(question ? current(question, known, tell) : []));
    drawn = news;
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
