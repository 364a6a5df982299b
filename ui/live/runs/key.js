// The visitor's key, which brings their runs to another browser or device: words to write down, and a link.

import { copyLink, fragment, putAddress } from "../page/link.js";
import { answerOf, failed } from "../shared/ask.js";
import { count, make, openTab, rootOf } from "../shared/page.js";

/** @import { Component } from "../shared/types.js" */
/** @typedef {Component<{ browser: string }, "key_words" | "read_key">} Place */
/** @typedef {{ browser: string, runs: number, own: number }} Found */

const NAME = "key"; // in the fragment of the link, which no server sees
const ABOUT =
  "Runs belong to this browser. With this key they come to another one, or back when this one has forgotten them. " +
  "Whoever has the key can change and delete them.";

/** @param {Place} component */
export function mount({ element, props, server, trigger }) {
  const open = make("button", { type: "button", className: "live-quiet", textContent: "My key" });
  const dialog = make("dialog", { className: "live-dialog live-key", ariaLabel: "My key" });
  const words = make("p", { className: "live-key-words" });
  const copy = make("button", { type: "button", textContent: "Copy it as a link" });
  const typed = make("textarea", {
    className: "live-field",
    rows: 2,
    ariaLabel: "A key of mine",
    placeholder: "Twelve words from another browser",
  });
  const look = make("button", { type: "button", textContent: "Bring its runs here" });
  const said = make("p", { className: "live-message", role: "status" });
  const close = make("button", { type: "button", textContent: "Close" });
  const titles = [make("h2", { textContent: "My key" }), make("h2", { textContent: "I have a key" })];
  const first = [titles[0], make("p", { textContent: ABOUT }), words, make("div", { className: "live-buttons" }, copy)];
  dialog.append(...first, titles[1], typed, make("div", { className: "live-buttons" }, look, close), said);
  rootOf(element).append(open, dialog);

  /** @type {Found | null} what a second press brings here */
  let found = null;
  const forget = () => {
    found = null;
    look.textContent = "Bring its runs here";
  };
  const begin = async () => {
    forget();
    said.textContent = words.textContent = "";
    dialog.showModal();
    const answer = await answerOf(server.key_words({ browser: props.value.browser }));
    words.textContent = failed(answer) ? answer.error : answer.words;
  };
  open.onclick = begin;
  close.onclick = () => dialog.close();
  typed.oninput = forget;
  copy.onclick = () =>
    copyLink(copy, `${location.origin}${location.pathname}#${NAME}=${props.value.browser}`, "Copy the words instead");
  look.onclick = async () => {
    if (found) {
      trigger("take", { browser: found.browser });
      dialog.close();
      return;
    }
    const { browser } = props.value;
    const answer = await answerOf(server.read_key({ browser, key: typed.value }));
    if (failed(answer)) said.textContent = answer.error;
    else if (answer.browser === browser) said.textContent = "That is the key of this browser: its runs are here.";
    else {
      found = answer;
      said.textContent = warning(answer);
      look.textContent = "Yes, bring them here";
    }
  };
  const linked = fragment().get(NAME);
  if (!linked) return;
  const rest = fragment();
  rest.delete(NAME);
  putAddress(`${location.pathname}${location.search}${rest.size ? `#${rest}` : ""}`); // it is on nobody's wall
  typed.value = linked;
  openTab("runs");
  begin();
}

/** @param {Found} found */
function warning({ runs, own }) {
  const here = own ? ` This browser has ${count(own, "run")} under the key above: write it down first.` : "";
  return `${count(runs, "run")} will be here.${here}`;
}
