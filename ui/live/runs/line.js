// A line of the table of runs: the same element while its numbers change, so that focus and an open field stay.

import { failed, fileOf } from "../shared/ask.js";
import { make, save } from "../shared/page.js";
import { COLUMNS } from "./columns.js";
import { tick, ticked, untick } from "./ticks.js";

/** @import { Row } from "../shared/types.js" */

/**
 * What can be done with a run; rename tells what is wrong, or "".
 *
 * @typedef {{
 *   say: (sentence: string) => void,
 *   rename: (run: string, name: string) => Promise<string>,
 *   remove: (row: Row) => void,
 *   steer: (run: string, how: string) => void,
 *   use: (run: string) => void,
 *   watch: (run: string) => void,
 *   trainOn: (run: string) => void,
 * }} Actions
 */

const DOWNLOADS = {
  "archive.zip": "All of it, zip",
  "model.safetensors": "Model",
  "metrics.csv": "Metrics, CSV",
  "tensorboard.zip": "TensorBoard events",
};
const OF_A_MODEL = ["model.safetensors", "metrics.csv", "tensorboard.zip"]; // which come with the first record
const TRAIN_ON = "A new run that begins with this model's weights and the settings in Train; asks first";

/** A row of the table, which show() fills again and again. */
export class Line {
  /** @type {Row | null} */
  #row = null;
  #renaming = false;
  #name = make("button", { type: "button", className: "live-name", title: "Rename" });
  #box = make("input", { type: "checkbox", ariaLabel: "Compare this run" });

  /**
   * @param {string} run
   * @param {Actions} actions
   */
  constructor(run, actions) {
    this.run = run;
    this.actions = actions;
    const cells = COLUMNS.map(({ name, title, number }) => {
      const cell = make("td", { className: number ? "live-number" : "" });
      cell.dataset.title = title;
      return /** @type {[string, HTMLTableCellElement]} */ ([name, cell]);
    });
    this.cells = Object.fromEntries(cells);
    this.cells.ticked.append(this.#box);
    this.cells.title.append(this.#name);
    this.#box.onchange = () => {
      if (!this.#box.checked) untick(run);
      else if (this.#row) tick(this.#row);
    };
    this.#name.onclick = () => this.#rename();
    this.resume = button("Resume", () => actions.steer(run, "play"));
    this.use = button("Draw with it", () => actions.use(run));
    this.trainOn = button("Continue with new settings", () => actions.trainOn(run));
    this.trainOn.title = TRAIN_ON;
    this.files = downloads(run, actions.say);
    this.node = make("tr", {}, ...cells.map(([, cell]) => cell), this.#buttons());
    this.node.dataset.run = run;
  }

  #buttons() {
    const { run, actions } = this;
    const buttons = make(
      "div",
      { className: "live-actions" },
      button("Watch", () => actions.watch(run)),
      this.use,
      this.resume,
      this.trainOn,
      this.files,
      button("Delete", () => this.#row && actions.remove(this.#row)),
    );
    return make("td", {}, buttons);
  }

  /** Puts a field in the name's place. */
  #rename() {
    if (!this.#row) return;
    const before = this.#row.title ?? "";
    this.#renaming = true;
    const field = make("input", { type: "text", value: before, ariaLabel: "New name" });
    const why = make("small");
    let open = true;
    let asking = false;
    const close = () => {
      if (!open) return; // taking a field away takes its focus too
      open = false;
      this.#renaming = false;
      this.cells.title.replaceChildren(this.#name);
      this.#name.focus();
    };
    const keep = async () => {
      if (asking) return;
      asking = true;
      const unchanged = field.value === this.#row?.title;
      const wrong = unchanged ? "" : await this.actions.rename(this.run, field.value);
      asking = false;
      if (!wrong) close();
      if (!open) return; // done, or Escape has closed it while the server was asked
      why.textContent = wrong; // the table may be longer than the screen
      field.focus();
    };
    field.onkeydown = (event) => {
      if (event.key === "Enter") keep();
      if (event.key === "Escape") close();
    };
    field.onblur = () => {
      if (!asking) close();
    };
    this.cells.title.replaceChildren(field, why);
    field.focus();
    field.select();
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
    if (!this.#renaming) this.#name.textContent = row.title ?? "(damaged)";
    for (const { name, text } of COLUMNS) {
      const now = text?.(row);
      if (now !== undefined && this.cells[name].textContent !== now) this.cells[name].textContent = now;
    }
    this.cells.state.title = row.message;
    this.resume.hidden = !row.resumable;
    this.use.hidden = this.trainOn.hidden = !row.has_model;
    for (const option of this.files.options) option.hidden = !row.has_model && OF_A_MODEL.includes(option.value);
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
 * The files of a run.
 *
 * @param {string} run
 * @param {Actions["say"]} say
 */
function downloads(run, say) {
  const options = Object.entries(DOWNLOADS).map(([value, text]) => make("option", { value }, text));
  const first = make("option", { value: "" }, "Download …");
  const node = make("select", { ariaLabel: "Download" }, first, ...options);
  node.onchange = async () => {
    if (!node.value) return;
    const address = new URL(`../runs/${run}/${node.value}`, import.meta.url);
    node.value = "";
    say("The download is being made.");
    const answer = await fileOf(address); // here, since a browser does not say on the page why a download fails
    say(failed(answer) ? `The download failed. ${answer.error}` : "");
    if (!failed(answer)) save(answer.file, nameIn(answer.headers));
  };
  return node;
}
