// A line of the table of runs: the same element while its numbers change, so that focus and an open field stay.

import { menu } from "../page/menu.js";
import { failed, fileOf } from "../shared/ask.js";
import { make, save } from "../shared/page.js";
import { NOTE_LENGTH, STATES } from "../shared/vocabulary.js";
import { COLUMNS } from "./columns.js";
import { InPlace } from "./edit.js";
import { tick, ticked, untick } from "./ticks.js";

/**
 * @import { Item } from "../page/menu.js"
 * @import { Row } from "../shared/types.js"
 */

/**
 * What can be done with a run; rename and annotate tell what is wrong, or "".
 *
 * @typedef {{
 *   say: (sentence: string) => void,
 *   rename: (run: string, name: string) => Promise<string>,
 *   annotate: (run: string, note: string) => Promise<string>,
 *   pin: (run: string, pinned: boolean) => void,
 *   remove: (row: Row) => void,
 *   steer: (run: string, how: string) => void,
 *   stop: (run: string) => void,
 *   use: (run: string) => void,
 *   open: (run: string) => void,
 *   trainOn: (run: string) => void,
 *   copy: (run: string) => void,
 * }} Actions
 */

const DOWNLOADS = {
  "archive.zip": "Download all of it (zip)",
  "model.safetensors": "Download the model",
  "metrics.csv": "Download the metrics (CSV)",
  "tensorboard.zip": "Download TensorBoard events",
};
const TRAIN_ON = "A new run that begins with this model's weights and the settings in Train; asks first";
const COPY = "Whoever opens it can watch this run, and begin their own from it; they cannot change it";
const PIN = "A pinned run is never deleted to make room for a new one";
const OF_A_MODEL = ["model.safetensors", "metrics.csv", "tensorboard.zip"]; // which come with the first record
const DAMAGED = "(damaged)";

/** A row of the table, which show() fills again and again. */
export class Line {
  /** @type {Row | null} */
  #row = null;
  #box = make("input", { type: "checkbox", ariaLabel: "Compare this run" });

  /**
   * @param {string} run
   * @param {Actions} actions
   */
  constructor(run, actions) {
    this.run = run;
    this.actions = actions;
    const cells = COLUMNS.map(({ name, title, number }) => {
      const cell = make("td", { className: `live-of-${name}${number ? " live-number" : ""}` });
      cell.dataset.title = title;
      return /** @type {[string, HTMLTableCellElement]} */ ([name, cell]);
    });
    this.cells = Object.fromEntries(cells);
    this.name = new InPlace({
      className: "live-name",
      label: "New name",
      title: "Rename",
      offer: DAMAGED,
      isLong: false,
      keep: (name) => actions.rename(run, name),
    });
    this.note = new InPlace({
      className: "live-note-text",
      label: "Note",
      title: "Edit the note",
      offer: "Add a note",
      isLong: true,
      most: NOTE_LENGTH,
      keep: (note) => actions.annotate(run, note),
    });
    this.cells.ticked.append(this.#box);
    this.cells.title.append(this.name.node);
    this.cells.note.append(this.note.node);
    this.#box.onchange = () => {
      if (!this.#box.checked) untick(run);
      else if (this.#row) tick(this.#row);
    };
    this.resume = button("Resume", () => actions.steer(run, "play"));
    this.use = button("Draw with it", () => actions.use(run));
    this.node = make("tr", {}, ...cells.map(([, cell]) => cell), this.#buttons());
    this.node.dataset.run = run;
  }

  #buttons() {
    const { run, actions } = this;
    const buttons = make(
      "div",
      { className: "live-actions" },
      button("Open", () => actions.open(run)),
      this.use,
      this.resume,
      menu("More for this run", () => this.#more()),
    );
    return make("td", { className: "live-of-actions" }, buttons);
  }

  /** What the menu offers. */
  #more() {
    const { run, actions } = this;
    const row = this.#row;
    /** @type {Item[]} */
    const items = [];
    if (row?.has_model)
      items.push({ text: "Continue with new settings", title: TRAIN_ON, act: () => actions.trainOn(run) });
    if (row && STATES[row.state]?.going) items.push({ text: "Stop", act: () => actions.stop(run) });
    items.push({ text: "Copy link to this run", title: COPY, act: () => actions.copy(run) });
    for (const [file, text] of Object.entries(DOWNLOADS))
      if (row?.has_model || !OF_A_MODEL.includes(file))
        items.push({ text, act: () => download(run, file, actions.say) });
    const pinned = Boolean(row?.pinned);
    items.push({ text: pinned ? "Unpin" : "Pin", title: PIN, act: () => actions.pin(run, !pinned) });
    items.push({ text: "Delete", act: () => row && actions.remove(row) });
    return items;
  }

  /**
   * Shows what is known of the run now.
   *
   * @param {Row} row
   */
  show(row) {
    this.#row = row;
    this.#box.checked = ticked.has(this.run);
    if (ticked.has(this.run)) tick(row);
    this.name.show(row.title ?? "");
    this.note.show(row.note ?? "");
    for (const { name, text } of COLUMNS) {
      const now = text?.(row);
      if (now !== undefined && this.cells[name].textContent !== now) this.cells[name].textContent = now;
    }
    this.cells.state.title = row.message;
    this.resume.hidden = !row.resumable;
    this.use.hidden = !row.has_model;
  }
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
const button = (text, onclick) => make("button", { type: "button", onclick }, text);

/**
 * The name that the server gives a file.
 *
 * @param {Headers} headers
 */
const nameIn = (headers) => decodeURIComponent((headers.get("Content-Disposition") ?? "").split("UTF-8''")[1] ?? "");

/**
 * Gives a file of a run to the browser's downloads.
 *
 * @param {string} run
 * @param {string} file
 * @param {Actions["say"]} say
 */
async function download(run, file, say) {
  say("The download is being made.");
  const address = new URL(`../runs/${run}/${file}`, import.meta.url);
  const answer = await fileOf(address); // here, since a browser does not say on the page why a download fails
  say(failed(answer) ? `The download failed. ${answer.error}` : "");
  if (!failed(answer)) save(answer.file, nameIn(answer.headers));
}
