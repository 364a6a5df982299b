// The table of this browser's runs. Its value from Python is {browser, sweep, plan}: whose runs, and what the server
// answered to the dialogs of a sweep and of a run that goes on from another; plan and train_on read the chosen run from
// {browser, run}.

import { copied, linkToRun } from "../page/link.js";
import { answerOf, answerTo, failed } from "../shared/ask.js";
import { feed, inSight, refresh, show } from "../shared/feed.js";
import { bytesOf, make, openTab, rootOf } from "../shared/page.js";
import { LARGEST_CHECKPOINT, STATES } from "../shared/vocabulary.js";
import { COLUMNS, sorted } from "./columns.js";
import { askToContinue } from "./continuing.js";
import { Line } from "./line.js";
import { Sweep } from "./sweep.js";
import { tickOnly, untick } from "./ticks.js";

/**
 * @import { Answer, Component, Planned, Row, Swept } from "../shared/types.js"
 * @import { Actions } from "./line.js"
 */
/**
 * @typedef {{ browser: string, run?: string, sweep?: Swept, plan?: Planned }} Value
 * @typedef {Component<Value, "mine" | "rename" | "annotate" | "pin" | "remove" | "steer">} Listed
 * @typedef {ReturnType<typeof layout>} View
 */

const SORTS = [
  ["created down", "newest first"],
  ["created up", "oldest first"],
  ["title up", "by name"],
  ["elbo up", "lowest −ELBO first"],
  ["state up", "by state"],
]; // where the table has no head
const EVERY = 1500; // ms between two looks while the table is in sight
const CHECK = 250; // ms between two looks at whether it is time
const NOTHING =
  "No runs yet. Every training appears here with its curves, its pictures and its model, to be compared with others.";

/**
 * The table.
 *
 * @param {Listed} component
 */
export function mount(component) {
  const node = rootOf(component.element);
  const table = new Table(node, component);
  setInterval(() => {
    if (inSight(node)) table.loadInTime();
  }, CHECK);
  show(node, () => table.loadInTime());
  component.watch("value", () => table.take());
}

class Table {
  /** @type {Row[]} */
  #runs = [];
  #unheard = false; // whether what is said is why the list could not be had
  #order = { name: "created", down: true };
  /** @type {Map<string, Line>} */
  #lines = new Map();
  #last = 0; // when the list was loaded
  #sweep = new Sweep({
    ask: (how, question) => this.trigger(`${how}_sweep`, question),
    started: (runs) => this.#compare(runs),
  });
  #considered = ""; // the plan that was asked about last

  /**
   * @param {HTMLElement} node
   * @param {Listed} component
   */
  constructor(node, { props, server, trigger }) {
    this.props = props;
    this.server = server;
    this.trigger = trigger;
    this.view = layout(node);
    const { heads, sort, filter, file, sweep, stop } = this.view;
    node.append(this.#sweep.node);
    sweep.onclick = () => this.#sweep.open();
    stop.onclick = () => this.#stopAll();
    heads.forEach(({ button }, i) => {
      button.onclick = () => this.#sortBy(COLUMNS[i]);
    });
    sort.onchange = () => {
      const [name, way] = sort.value.split(" ");
      this.#order = { name, down: way === "down" };
      this.#draw();
    };
    filter.oninput = () => this.#draw();
    file.onchange = () => {
      const chosen = file.files?.[0];
      file.value = "";
      if (chosen) this.#upload(chosen);
    };
  }

  /** Loads the list, if it is time to. */
  loadInTime() {
    if (performance.now() - this.#last <= EVERY) return;
    this.#last = performance.now();
    this.#load();
  }

  /** Takes another value from Python: the list may be another one now, and a dialog may have an answer. */
  take() {
    this.#consider();
    this.#last = 0;
    const { sweep } = this.props.value;
    if (sweep) this.#sweep.answer(sweep);
  }

  /** Asks about what Python says would be started, once. */
  #consider() {
    const { plan } = this.props.value;
    if (!plan || plan.at === this.#considered) return;
    this.#considered = plan.at;
    this.#say(plan.error ?? "");
    if (!plan.error) askToContinue(this.view.dialog, plan, () => this.trigger("train_on", {}));
  }

  /**
   * Ticks these runs alone, and shows how they compare.
   *
   * @param {string[]} runs
   */
  async #compare(runs) {
    await this.#load();
    tickOnly(this.#runs.filter(({ run }) => runs.includes(run)));
    this.#draw();
    document.querySelector("#compare")?.scrollIntoView();
  }

  async #load() {
    const { browser } = this.props.value;
    if (!browser) return;
    const answer = await answerOf(this.server.mine({ browser }));
    if (failed(answer)) {
      this.#say(answer.error);
      this.#unheard = true;
      return;
    }
    if (this.#unheard) this.#say("");
    this.#runs = answer.runs;
    this.#draw();
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.#unheard = false;
    this.view.message.textContent = sentence;
  }

  /**
   * What is wrong with what the server was asked to do, which is said too; "" where it did it.
   *
   * @param {Promise<Answer<object> | undefined>} asking
   */
  async #wrong(asking) {
    const answer = await answerOf(asking);
    const wrong = failed(answer) ? answer.error : "";
    this.#say(wrong);
    return wrong;
  }

  /** @param {import("./columns.js").Column} column */
  #sortBy({ name, number }) {
    const down = this.#order.name === name ? !this.#order.down : Boolean(number || name === "created");
    this.#order = { name, down };
    this.#draw();
  }

  #draw() {
    const { view } = this;
    const { name, down } = this.#order;
    this.#dropGone();
    const words = view.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const nodes = sorted(this.#runs.filter(matches(words)), name, down).map((row) => {
      const line = this.#lines.get(row.run) ?? new Line(row.run, this.#actions);
      this.#lines.set(row.run, line);
      line.show(row);
      return line.node;
    });
    const same = nodes.length === view.body.children.length && nodes.every((it, i) => view.body.children[i] === it);
    if (!same) view.body.replaceChildren(...nodes); // else focus stays where it is
    for (const node of [view.table, view.filter, view.sort]) node.hidden = this.#runs.length === 0;
    view.empty.hidden = this.#runs.length > 0;
    view.stop.hidden = this.#going().length < 2;
    const way = down ? "descending" : "ascending";
    view.heads.forEach((head, i) => {
      head.node.setAttribute("aria-sort", COLUMNS[i].name === name ? way : "none");
    });
  }

  /** The runs that train or wait, those that began last first. */
  #going() {
    return this.#runs.filter(({ state }) => STATES[state]?.going);
  }

  async #stopAll() {
    const waitingFirst = [...this.#going()].sort((a, b) => Number(a.step !== null) - Number(b.step !== null));
    for (const { run } of waitingFirst) await this.#stop(run);
    await this.#load();
  }

  /** @param {string} run */
  async #stop(run) {
    await this.#wrong(this.server.steer({ browser: this.props.value.browser, run, how: "stop" }));
    if (feed.run === run) refresh();
  }

  #dropGone() {
    for (const run of this.#lines.keys()) {
      if (this.#runs.some((row) => row.run === run)) continue;
      this.#lines.delete(run);
      untick(run);
    }
  }

  /** @type {Actions} */
  #actions = {
    say: (sentence) => this.#say(sentence),
    rename: async (run, name) => {
      const wrong = await this.#wrong(this.server.rename({ browser: this.props.value.browser, run, name }));
      await this.#load();
      return wrong;
    },
    annotate: async (run, note) => {
      const wrong = await this.#wrong(this.server.annotate({ browser: this.props.value.browser, run, note }));
      await this.#load();
      return wrong;
    },
    pin: async (run, pinned) => {
      await this.#wrong(this.server.pin({ browser: this.props.value.browser, run, pinned }));
      await this.#load();
    },
    remove: (row) => {
      if (STATES[row.state]?.going) this.#say("The run is being trained: stop it first.");
      else confirmed(this.view.dialog, row, () => this.#remove(row.run));
    },
    steer: async (run, how) => {
      if (await this.#wrong(this.server.steer({ browser: this.props.value.browser, run, how }))) return;
      this.trigger("watch_run", { run });
      if (feed.run === run) refresh();
    },
    stop: async (run) => {
      await this.#stop(run);
      await this.#load();
    },
    use: (run) => this.trigger("use", { run }),
    open: (run) => this.trigger("watch_run", { run }),
    copy: async (run) => {
      const link = linkToRun(run);
      this.#say((await copied(link)) ? "The link to this run is copied." : `The link to this run: ${link}`);
    },
    trainOn: (run) => {
      this.props.value = { browser: this.props.value.browser, run };
      this.trigger("plan", { run });
    },
  };

  /** @param {string} run */
  async #remove(run) {
    if (await this.#wrong(this.server.remove({ browser: this.props.value.browser, run }))) return;
    untick(run);
    this.trigger("removed", {});
    await this.#load();
    if (document.activeElement === document.body) this.view.filter.focus(); // its own button is gone
  }

  /** @param {File} file a checkpoint */
  async #upload(file) {
    if (file.size > LARGEST_CHECKPOINT) {
      this.#say(`The file is over the limit of ${LARGEST_CHECKPOINT / 2 ** 20} MB.`);
      return;
    }
    this.#say(`Uploading ${file.name}.`);
    const address = new URL("../upload", import.meta.url);
    address.search = String(new URLSearchParams({ browser: this.props.value.browser, name: file.name }));
    const answer = await answerTo(address, file);
    this.#say(failed(answer) ? answer.error : `${file.name} is one of your runs now.`);
    await this.#load();
  }
}

/**
 * Whether a run has all these words in its line.
 *
 * @param {string[]} words in small letters
 * @returns {(row: Row) => boolean}
 */
const matches = (words) => (row) => {
  const text = `${row.title} ${row.state} ${row.note} ${row.line}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

/** @param {HTMLElement} node */
function layout(node) {
  const heads = COLUMNS.map(({ title, number }) => {
    const button = make("button", { type: "button" }, title);
    return { button, node: make("th", { scope: "col", className: number ? "live-number" : "" }, button) };
  });
  const actions = make("th", { scope: "col" }, "Actions");
  const body = make("tbody");
  const head = make("thead", {}, make("tr", {}, ...heads.map((it) => it.node), actions));
  const view = {
    heads,
    body,
    table: make("table", {}, head, body),
    sort: make("select", { className: "live-sort" }, ...SORTS.map(([value, text]) => make("option", { value }, text))),
    message: make("div", { className: "live-message" }),
    filter: make("input", { type: "search", placeholder: "Filter …" }),
    file: make("input", { type: "file", accept: ".safetensors", id: "upload" }),
    empty: nothing(),
    sweep: make("button", { type: "button" }, "Sweep …"),
    stop: make("button", { type: "button", hidden: true }, "Stop all"),
    dialog: make("dialog", { className: "live-dialog" }),
  };
  view.filter.setAttribute("aria-label", "Filter the runs");
  view.sort.setAttribute("aria-label", "Sort the runs");
  view.message.setAttribute("role", "status");
  const upload = make("label", { className: "live-upload" }, "Upload a model ", view.file);
  node.append(
    make("div", { className: "live-buttons" }, view.sweep, view.stop, view.filter, view.sort, upload),
    view.message,
    view.empty,
    make("div", { className: "live-wide" }, view.table),
    view.dialog,
  );
  return view;
}

/** What will stand here, and the way to it. */
function nothing() {
  const go = make("button", { type: "button", className: "live-primary" }, "Train a first model");
  go.onclick = () => openTab("train");
  return make("div", { className: "live-none", hidden: true }, make("p", {}, NOTHING), go);
}

/**
 * Asks whether a run shall be deleted.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Row} row
 * @param {() => void} remove
 */
function confirmed(dialog, row, remove) {
  const close = () => dialog.close();
  const onclick = () => {
    close();
    remove();
  };
  const what = `Delete “${row.title ?? row.run}”, ${row.created ?? ""}?`;
  const loss = `Its weights, curves and pictures (${bytesOf(row.size ?? 0)}) are gone for good then.`;
  const keep = make("button", { type: "button", className: "live-primary", onclick: close }, "Keep it");
  const yes = make("button", { type: "button", onclick }, "Delete it");
  dialog.replaceChildren(make("p", {}, `${what} ${loss}`), make("div", { className: "live-buttons" }, keep, yes));
  dialog.showModal();
}
