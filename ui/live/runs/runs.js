// The table of this browser's runs. Its value from Python is {browser}; train_on reads the chosen run from {browser, run}.

import { feed, inSight, refresh, show } from "../shared/feed.js";
import { answerOf, bytesOf, duration, make, minus } from "../shared/page.js";
import { tick, ticked } from "./ticks.js";
import { LARGEST_CHECKPOINT, STATES } from "../shared/vocabulary.js";

const SORTS = [
  ["created down", "newest first"],
  ["created up", "oldest first"],
  ["title up", "by name"],
  ["elbo up", "lowest −ELBO first"],
  ["state up", "by state"],
]; // where the table has no head
const EVERY = 1500; // ms between two looks while the table is in sight
const COLUMNS = [
  { name: "ticked", title: "Compare", sort: (row) => (ticked.has(row.run) ? 0 : 1) },
  { name: "title", title: "Name" },
  { name: "state", title: "State" },
  { name: "data", title: "Data" },
  { name: "line", title: "Settings" },
  { name: "elbo", title: "−ELBO, held-out", number: true },
  { name: "active_units", title: "Active units", number: true },
  { name: "seconds", title: "Time", number: true },
  { name: "size", title: "Size", number: true },
  { name: "created", title: "Created" },
];
const DOWNLOADS = {
  "archive.zip": "All of it, zip",
  "model.safetensors": "Model",
  "metrics.csv": "Metrics, CSV",
  "tensorboard.zip": "TensorBoard events",
};

export function mount({ element, props, server, watch, trigger }) {
  const node = element.querySelector(".live");
  const view = layout(node);
  let runs = [];
  let unheard = null; // what was said when the list could not be had
  let order = { name: "created", down: true };
  const rows = new Map(); // by run, so that a row keeps focus and an open field while its numbers change

  const say = (sentence) => {
    view.message.textContent = sentence;
  };
  const asked = async (name, request) => {
    const answer = await answerOf(server[name]({ browser: props.value.browser, ...request }));
    say(answer.error ?? "");
    return answer.error ? null : answer;
  };

  const load = async () => {
    if (!props.value.browser) return;
    const answer = await answerOf(server.mine({ browser: props.value.browser }));
    if (answer.error) return void say((unheard = answer.error));
    if (view.message.textContent === unheard) say("");
    runs = answer.runs;
    draw();
  };

  function draw() {
    const words = view.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = runs.filter((row) =>
      words.every((word) => `${row.title} ${row.state} ${row.data} ${row.line}`.toLowerCase().includes(word)),
    );
    const column = COLUMNS.find(({ name }) => name === order.name);
    const key = column.sort ?? ((row) => row[order.name]);
    kept.sort((a, b) => compare(key(a), key(b), order.down));
    for (const run of rows.keys())
      if (!runs.some((row) => row.run === run)) {
        rows.delete(run);
        tick(run, false);
      }
    const nodes = kept.map((row) => {
      if (!rows.has(row.run)) rows.set(row.run, line(row.run, actions));
      rows.get(row.run).fill(row);
      return rows.get(row.run).node;
    });
    if (nodes.length !== view.body.children.length || nodes.some((it, i) => view.body.children[i] !== it))
      view.body.replaceChildren(...nodes);
    view.table.hidden = runs.length === 0;
    view.empty.hidden = runs.length > 0;
    view.heads.forEach((head, i) =>
      head.setAttribute(
        "aria-sort",
        COLUMNS[i].name === order.name ? (order.down ? "descending" : "ascending") : "none",
      ),
    );
  }

  const actions = {
    rename: async (run, name) => {
      const done = await asked("rename", { run, name });
      await load();
      return done ? "" : view.message.textContent;
    },
    remove: (row) =>
      STATES[row.state]?.going
        ? say("The run is being trained: stop it first.")
        : ask(view, row, async () => {
            if (await asked("remove", { run: row.run })) {
              tick(row.run, false);
              trigger("removed", {});
              await load();
            }
          }),
    steer: async (run, how) => {
      if (await asked("steer", { run, how })) {
        trigger("watch_run", { run });
        if (feed.run === run) refresh();
      }
    },
    use: (run) => trigger("use", { run }),
    watch: (run) => trigger("watch_run", { run }),
    trainOn: (run) => {
      props.value = { ...props.value, run };
      trigger("train_on", { run });
    },
  };

  view.heads.forEach((head, i) => {
    head.firstChild.onclick = () => {
      const { name } = COLUMNS[i];
      order = { name, down: order.name === name ? !order.down : Boolean(COLUMNS[i].number || name === "created") };
      draw();
    };
  });
  view.sort.onchange = () => {
    const [name, down] = view.sort.value.split(" ");
    order = { name, down: down === "down" };
    draw();
  };
  view.filter.oninput = draw;
  view.file.onchange = async () => {
    const [file] = view.file.files;
    view.file.value = "";
    if (!file) return;
    if (file.size > LARGEST_CHECKPOINT)
      return void say(`The file is over the limit of ${LARGEST_CHECKPOINT / 2 ** 20} MB.`);
    say(`Uploading ${file.name}.`);
    const address = new URL("../upload", import.meta.url);
    address.search = new URLSearchParams({ browser: props.value.browser, name: file.name });
    const answer = await answerOf(fetch(address, { method: "POST", body: file }).then((it) => it.json()));
    say(answer.error ?? `${file.name} is one of your runs now.`);
    await load();
  };

  let last = 0;
  setInterval(() => {
    if (!inSight(node) || performance.now() - last < EVERY) return;
    last = performance.now();
    load();
  }, 250);
  show(node, () => {
    if (performance.now() - last > EVERY) {
      last = performance.now();
      load();
    }
  });
  watch("value", () => {
    last = 0;
  });
}

function layout(node) {
  const heads = COLUMNS.map(({ title, number }) =>
    make("th", { scope: "col", className: number ? "live-number" : "" }, make("button", { type: "button" }, title)),
  );
  const view = {
    heads,
    body: make("tbody"),
    sort: make("select", { className: "live-sort" }, ...SORTS.map(([value, text]) => make("option", { value }, text))),
    message: make("div", { className: "live-message" }),
    filter: make("input", { type: "search", placeholder: "Filter …" }),
    file: make("input", { type: "file", accept: ".safetensors", id: "upload" }),
    empty: make(
      "p",
      { hidden: true },
      "No runs yet. Every training appears here, with its curves and its model, and stays until you delete it.",
    ),
    dialog: make("dialog", { className: "live-dialog" }),
  };
  view.table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...heads, make("th", { scope: "col" }, "Actions"))),
    view.body,
  );
  view.filter.setAttribute("aria-label", "Filter the runs");
  view.sort.setAttribute("aria-label", "Sort the runs");
  view.message.setAttribute("role", "status");
  node.append(
    make(
      "div",
      { className: "live-buttons" },
      view.filter,
      view.sort,
      make("label", { className: "live-upload" }, "Upload a checkpoint ", view.file),
    ),
    view.message,
    view.empty,
    make("div", { className: "live-wide" }, view.table),
    view.dialog,
  );
  return view;
}

/** A row that stays the same element while its numbers change. */
function line(run, actions) {
  const cells = Object.fromEntries(
    COLUMNS.map(({ name, title, number }) => [name, make("td", { className: number ? "live-number" : "" })]),
  );
  COLUMNS.forEach(({ name, title }) => {
    cells[name].dataset.title = title;
  });
  const box = make("input", { type: "checkbox", onchange: () => tick(run, box.checked, row) });
  box.setAttribute("aria-label", "Compare this run");
  cells.ticked.append(box);
  let row = null;
  let renaming = false;
  const name = make("button", { type: "button", className: "live-name", title: "Rename" });
  cells.title.append(name);
  name.onclick = () => {
    renaming = true;
    const field = make("input", { type: "text", value: row.title });
    field.setAttribute("aria-label", "New name");
    let open = true;
    let asking = false;
    const close = () => {
      if (!open) return; // taking a field away takes its focus too
      open = renaming = false;
      cells.title.replaceChildren(name);
      name.focus();
    };
    const keep = async () => {
      if (asking) return;
      asking = true;
      const wrong = field.value === row.title ? "" : await actions.rename(run, field.value);
      asking = false;
      if (!wrong) return close();
      if (!open) return; // Escape has closed it while the server was asked
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
    const why = make("small");
    cells.title.replaceChildren(field, why);
    field.focus();
    field.select();
  };
  const button = (text, act) => make("button", { type: "button", onclick: act }, text);
  const resume = button("Resume", () => actions.steer(run, "play"));
  const downloads = make(
    "select",
    {
      onchange: () => {
        if (!downloads.value) return;
        make("a", { href: new URL(`../runs/${run}/${downloads.value}`, import.meta.url).href, download: "" }).click();
        downloads.value = "";
      },
    },
    make("option", { value: "" }, "Download …"),
    ...Object.entries(DOWNLOADS).map(([value, text]) => make("option", { value }, text)),
  );
  downloads.setAttribute("aria-label", "Download");
  const trainOn = button("Train on from here", () => actions.trainOn(run));
  trainOn.title =
    "A new run that begins with this model's weights, with the settings that the Train tab shows; both warm-ups begin anew";
  const last = make(
    "td",
    {},
    make(
      "div",
      { className: "live-actions" },
      button("Watch", () => actions.watch(run)),
      button("Use this model", () => actions.use(run)),
      resume,
      trainOn,
      downloads,
      button("Delete", () => actions.remove(row)),
    ),
  );
  const node = make("tr", {}, ...COLUMNS.map(({ name: it }) => cells[it]), last);
  node.dataset.run = run;

  const fill = (now) => {
    row = now;
    box.checked = ticked.has(run);
    if (ticked.has(run)) tick(run, true, row);
    if (!renaming) name.textContent = row.title ?? "(damaged)";
    const texts = {
      state:
        row.state === "running" && row.total_steps
          ? `running, ${Math.floor((100 * row.step) / row.total_steps)} %`
          : row.state,
      data: row.data ?? "",
      line: row.line ?? row.message,
      elbo: row.elbo === null || row.elbo === undefined ? "–" : minus(row.elbo.toFixed(2)),
      active_units: row.active_units ?? "–",
      seconds: duration(row.seconds ?? 0),
      size: bytesOf(row.size ?? 0),
      created: row.created ?? "",
    };
    for (const [it, text] of Object.entries(texts))
      if (cells[it].textContent !== String(text)) cells[it].textContent = text;
    cells.state.title = row.message;
    resume.hidden = !row.resumable;
  };
  return { node, fill };
}

function ask(view, row, remove) {
  const close = () => view.dialog.close();
  const yes = make(
    "button",
    {
      type: "button",
      className: "live-danger",
      onclick: () => {
        close();
        remove();
      },
    },
    "Delete it",
  );
  view.dialog.replaceChildren(
    make(
      "p",
      {},
      `Delete “${row.title ?? row.run}”, ${row.created ?? ""}? Its weights, curves and pictures (${bytesOf(row.size ?? 0)}) are gone for good then.`,
    ),
    make("div", { className: "live-buttons" }, make("button", { type: "button", onclick: close }, "Keep it"), yes),
  );
  view.dialog.showModal();
}

function compare(a, b, down) {
  if (a === null || a === undefined) return 1; // what is unknown comes last either way
  if (b === null || b === undefined) return -1;
  const sign = typeof a === "number" ? a - b : String(a).localeCompare(String(b));
  return down ? -sign : sign;
}
