// What a link hides of the form from those who open it, and the dialog in which that is chosen.

import { addressWith, copyLink } from "../page/link.js";
import { make } from "../shared/page.js";

/**
 * A part of the form: its settings, the ids of its elements, and a title if it is offered.
 *
 * @typedef {{ title: string, settings: string[], ids: string[] }} Part
 */

const TITLE = "hand-out-title"; // the id of the dialog's heading

/** What the page's own link hides: names of settings or of parts of the form. */
export const hidden = () => (new URLSearchParams(location.search).get("hide") ?? "").split(",").filter(Boolean);

/**
 * Takes out of sight what the link hides, also what comes later. It keeps its values.
 *
 * @param {Record<string, Part>} parts by name
 */
export function hide(parts) {
  const ids = hidden().flatMap((name) => parts[name]?.ids ?? []);
  if (ids.length) document.head.append(make("style", {}, `${ids.map((id) => `#${id}`)} { display: none !important }`));
}

/**
 * The dialog that hands out the set-up as a link; it is empty while it is closed.
 *
 * @param {Record<string, Part>} parts by name
 */
export function handOut(parts) {
  const node = make("dialog", { className: "live-dialog live-hand-out" });
  node.setAttribute("aria-labelledby", TITLE);
  node.onclose = () => node.replaceChildren();
  return {
    node,
    open() {
      const link = make("input", { className: "live-field", type: "text", readOnly: true, ariaLabel: "The link" });
      const copy = make("button", { type: "button", className: "live-primary" }, "Copy");
      const close = make("button", { type: "button", className: "live-quiet", onclick: () => node.close() }, "Close");
      const choice = make("div", { className: "live-choices" });
      const boxes = Object.entries(parts).flatMap(([name, { title }]) => (title ? [box(name, title)] : []));
      choice.append(...boxes.map((it) => it.label));
      const write = () => {
        link.value = linkThatHides(boxes.map(({ input }) => input));
      };
      choice.onchange = write;
      link.onfocus = () => link.select();
      copy.onclick = () => copyLink(copy, link.value, "Copy it from above");
      const from = make("fieldset", {}, make("legend", {}, "Hide from those who open it:"), choice);
      node.append(make("h2", { id: TITLE }, "Copy link to this set-up"), link, from);
      node.append(make("div", { className: "live-buttons" }, copy, close));
      write();
      node.showModal();
      copy.focus();
    },
  };
}

/**
 * @param {string} value
 * @param {string} title
 */
function box(value, title) {
  const input = make("input", { type: "checkbox", value, checked: hidden().includes(value) });
  return { input, label: make("label", {}, input, ` ${title}`) };
}

/**
 * The page's link, which hides what is ticked, and what it hides already and is not offered.
 *
 * @param {HTMLInputElement[]} boxes
 */
function linkThatHides(boxes) {
  const query = new URLSearchParams(location.search);
  query.delete("run"); // its settings would stand where the set-up has the defaults
  const others = hidden().filter((name) => boxes.every(({ value }) => value !== name));
  const chosen = [...boxes.filter(({ checked }) => checked).map(({ value }) => value), ...others];
  if (chosen.length) query.set("hide", chosen.join(","));
  else query.delete("hide");
  return location.origin + addressWith(query);
}
