// Who is where, and what their trainings do: one line each, those who are stuck first.

import { count, make } from "../shared/page.js";
import { svg } from "../shared/svg.js";
import { STATES } from "../shared/vocabulary.js";
import { onNews, order, room } from "./news.js";

/** @import { Command } from "../shared/vocabulary.js" */
/** @import { Member } from "./news.js" */
/** @typedef {(done: Promise<string>) => void} Tell says why something was refused */

const [WIDTH, HEIGHT, EDGE] = [96, 24, 2];
const HEADS = ["Number", "Name", "Where", "Training", "−ELBO", "Follows", "Vote", ""];
/** What is offered of a run, by what it can do. @type {[Command, string][]} */
const OFFERS = [
  ["pause", "Pause"],
  ["stop", "Stop"],
  ["play", "Resume"],
];

/** @param {Tell} tell */
export function people(tell) {
  const title = make("h2");
  const body = make("tbody");
  const head = make("tr", {}, ...HEADS.map((text) => make("th", {}, text)));
  const table = make("table", { className: "live-class-people" }, make("thead", {}, head), body);
  /** @type {Map<number, { node: HTMLTableRowElement, drawn: string }>} */
  const lines = new Map();
  onNews(() => {
    const { members, gone } = room.class ?? { members: [], gone: 0 };
    title.textContent = `${count(members.length, "participant")} here${gone ? `, ${gone} gone` : ""}`;
    const nodes = members.map((member) => {
      const line = lines.get(member.number) ?? { node: make("tr"), drawn: "" };
      lines.set(member.number, line);
      const now = JSON.stringify(member);
      if (now !== line.drawn) fill(line.node, member, tell); // a button that is being pressed stays the same one
      line.drawn = now;
      return line.node;
    });
    if (nodes.some((node, n) => body.children[n] !== node) || nodes.length !== body.children.length)
      body.replaceChildren(...nodes);
    table.hidden = !members.length;
  });
  return make("section", { ariaLabel: "Participants" }, title, table);
}

/**
 * @param {HTMLTableRowElement} node
 * @param {Member} member
 * @param {Tell} tell
 */
function fill(node, member, tell) {
  const { number, name, follows, has_voted: hasVoted, state, is_own: isOwn, run } = member;
  const training = state ? `${STATES[state]?.title ?? state}${isOwn ? "" : " · another’s"}` : "";
  const can = new Set(isOwn ? STATES[state]?.offers : []);
  const buttons = OFFERS.filter(([how]) => can.has(how)).map(([how, text]) => {
    const button = make("button", { type: "button", className: "live-quiet", textContent: text });
    button.onclick = () => tell(order(run, how));
    return button;
  });
  const cells = [
    make("td", {}, String(number)),
    make("td", { className: "live-class-name" }, name),
    make("td", {}, placeOf(member)),
    make("td", {}, training),
    make("td", {}, spark(member)),
    make("td", {}, follows ? "yes" : "no"),
    make("td", {}, hasVoted ? "in" : ""),
    make("td", {}, make("div", { className: "live-buttons" }, ...buttons)),
  ];
  node.classList.toggle("live-class-stuck", member.is_stuck);
  node.replaceChildren(...cells);
}

/** @param {Member} member */
function placeOf({ tab, card, is_stuck: isStuck, minutes }) {
  const title = document.querySelector(`[role=tab][data-tab-id="${CSS.escape(tab)}"]`)?.textContent?.trim() ?? "";
  const place = tab === "theory" && card ? `${title} · ${card}` : title;
  return isStuck && minutes ? `${place} · for ${minutes} min` : place;
}

/**
 * The loss over the steps of the training as a line, from its largest value to its smallest.
 *
 * @param {Member} member
 */
function spark({ steps, points }) {
  const values = points.filter((value) => value !== null);
  if (values.length < 2 || values.length < points.length) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const across = (/** @type {number} */ n) => EDGE + (steps[n] / steps[steps.length - 1]) * (WIDTH - 2 * EDGE);
  const down = (/** @type {number} */ value) => EDGE + ((high - value) / (high - low || 1)) * (HEIGHT - 2 * EDGE);
  const line = svg("polyline", {
    points: values.map((value, n) => `${across(n).toFixed(1)},${down(value).toFixed(1)}`).join(" "),
    fill: "none",
    stroke: "var(--elbo)",
    "stroke-width": 1.5,
  });
  const last = values[values.length - 1].toFixed(1);
  const picture = svg("svg", { width: WIDTH, height: HEIGHT, role: "img", "aria-label": `−ELBO, now ${last}` }, line);
  return make("span", { className: "live-class-spark" }, picture, last);
}
