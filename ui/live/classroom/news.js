// What is new in the class: asked of the server again and again, and told to whatever shows it.

import { choices } from "../map/choices.js";
import { browser } from "../page/followed.js";
import { answerTo, failed } from "../shared/ask.js";
import { feed } from "../shared/feed.js";
import { addressOf, shownTab } from "../shared/page.js";

/** @import { Answer } from "../shared/types.js" */
/** @import { Command } from "../shared/vocabulary.js" */
/**
 * @typedef {{ number: number, text: string, options: string[], card: string, right: number | null, round: number,
 *   is_shown: boolean, mine: (number | null)[], counts: number[][] }} Asked
 * @typedef {{ number: number, name: string, follows: boolean, tab: string, card: string, run: string,
 *   has_voted: boolean, state: string, is_going: boolean, is_own: boolean, is_stuck: boolean, minutes: number,
 *   steps: number[], points: (number | null)[] }} Member
 * @typedef {{ members: Member[], gone: number, voted: number, counts: number[][] }} Class as only the lecturer sees it
 * @typedef {{ number: number, address: string }} Lead
 * @typedef {{ is_open: boolean, is_paused: boolean, is_frozen: boolean, is_lecturer: boolean, place: Lead | null, question: Asked | null,
 *   me: { number: number, name: string, follows: boolean } | null, class: Class | null }} Room
 * @typedef {Partial<Room> & { version: number, wait: number }} News
 */

const SILENT = 5000; // ms until a server that did not answer is asked again
const HIDDEN = 5000; // ms between two questions of a page that nobody looks at
const UNKNOWN = 200; // ms until the page knows which browser it is in

/** The class as the page knows it. @type {Room} */
export const room = {
  is_open: false,
  is_paused: false,
  is_frozen: false,
  is_lecturer: false,
  place: null,
  question: null,
  me: null,
  class: null,
};

/** @type {(() => void)[]} */
const views = [];
let version = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let isAsking = false;

/**
 * Has a view drawn with every change, and now.
 *
 * @param {() => void} view
 */
export function onNews(view) {
  views.push(view);
  view();
}

/** Begins to ask. */
export function begin() {
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  ask();
}

/** Asks at once, and from then on as often as the server says. */
export async function ask() {
  clearTimeout(timer);
  if (isAsking) return;
  if (!browser) {
    timer = setTimeout(ask, UNKNOWN);
    return;
  }
  isAsking = true;
  const where = { tab: shownTab() ?? "", card: choices.card, run: feed.run };
  const news = await post("news", { browser, version, ...where });
  isAsking = false;
  timer = setTimeout(ask, failed(news) ? SILENT : Math.max(news.wait, document.hidden ? HIDDEN : 0));
  if (!failed(news)) take(news);
}

/** @param {News} news */
function take({ version: now, wait: _, ...told }) {
  if (now === version && !told.class) return;
  version = now;
  Object.assign(room, told);
  for (const view of views) view();
}

/**
 * Says something as a participant.
 *
 * @param {"name" | "follow" | "vote"} what
 * @param {object} more
 * @returns {Promise<string>} why it was refused; empty if it was not
 */
export const say = (what, more) => done("say", { what, browser, ...more });

/**
 * Does something as the lecturer.
 *
 * @param {"pause" | "freeze" | "lead" | "release" | "ask" | "show" | "again" | "take_away" | "open" | "close"} what
 * @param {object} [more]
 * @returns {Promise<string>} why it was refused; empty if it was not
 */
export const act = (what, more = {}) => done("act", { what, browser, ...more });

/**
 * Has any run pause, stop or go on, as the lecturer.
 *
 * @param {string} run
 * @param {Command} how
 * @returns {Promise<string>} why it was refused; empty if it was not
 */
export const order = (run, how) => done("steer", { run, how });

/**
 * @param {"say" | "act" | "steer"} route
 * @param {object} said
 */
async function done(route, said) {
  const answer = await post(route, said);
  await ask();
  return failed(answer) ? answer.error : "";
}

/**
 * @param {"news" | "say" | "act" | "steer"} route
 * @param {object} said
 * @returns {Promise<Answer<News>>}
 */
const post = (route, said) =>
  answerTo(addressOf(`live/class/${route}`), new Blob([JSON.stringify(said)], { type: "application/json" }));
