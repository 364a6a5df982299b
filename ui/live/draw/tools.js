// What can be done to a drawing: tools, where to start from, noise, and a hidden part that the model completes.

import { addressOf, answerOf, base64, bytes, make, paint, SIDE } from "../shared/page.js";
import { LARGEST_PHOTO } from "../shared/vocabulary.js";

/**
 * drawn(resting): the surface has another drawing. cleared(): clear it. grey(): a promise of the
 * drawing as it is now in MNIST's format, or of null after saying why not.
 * ask(name, request): an answer of the server, or null after saying why not.
 */
export function tools(surface, { drawn, cleared, say, grey, ask }) {
  const hole = completion(surface, { say, grey, ask });
  const noise = noisy(surface, { drawn, grey });
  const button = (textContent, onclick) => make("button", { type: "button", textContent, onclick });

  /** What a hidden part and noise need: the image itself on the surface, pixel by pixel. */
  const framed = async () => {
    if (surface.framed) return true;
    const image = await grey();
    if (!image) return;
    surface.remember();
    surface.place(image);
    drawn();
    return true;
  };
  let picked = surface.tool;
  const kinds = [
    ["draw", "Draw"],
    ["erase", "Erase"],
    ["hide", "Hide a part"],
  ].map(([kind, text]) => {
    const node = button(text, async () => {
      const before = picked;
      picked = kind;
      if (kind === "hide" && !(await framed())) return void (picked = before);
      if (picked !== kind) return; // another one was picked meanwhile
      surface.tool = kind;
      for (const it of kinds) it.ariaPressed = String(it === node);
    });
    return Object.assign(node, { ariaPressed: String(kind === surface.tool) });
  });
  const width = make("input", {
    type: "range",
    min: 6,
    max: 50,
    value: surface.width,
    oninput: () => {
      surface.width = Number(width.value);
    },
  });
  const bar = make(
    "div",
    { className: "live-tools" },
    make(
      "div",
      { className: "live-buttons", role: "group", ariaLabel: "Tools" },
      ...kinds,
      button("Undo", () => surface.undo()),
      button("Clear", () => {
        noise.forget();
        cleared();
      }),
    ),
    make("label", {}, "Stroke", width),
    noise.node,
    hole.buttons,
  );

  /** Puts grey bytes on the surface, for good. */
  const start = (bytesOfIt) => {
    noise.forget();
    surface.remember();
    surface.place(bytesOfIt);
    drawn();
  };
  const photo = photograph(surface.node, start, say);
  const from = make("div");
  const examples = make("div", { className: "live-examples" });
  const beginning = make(
    "div",
    { className: "live-start" },
    from,
    examples,
    make(
      "div",
      { className: "live-buttons" },
      button("Noise", () => start(random())),
      photo,
    ),
  );

  return {
    bar,
    start: beginning,
    completed: hole.result,
    offer: (about) => {
      from.textContent = `Or start from a test digit (${about.examples_from}), noise or a photograph:`;
      examples.replaceChildren(...about.examples.map(({ label, image }) => example(label, bytes(image), start)));
    },
    stroked: () => {
      noise.forget();
      hole.forget();
    },
    hid: hole.changed,
    forget: hole.forget,
  };
}

/** The buttons for a hidden part, and what the model makes of it. */
function completion(surface, { say, grey, ask }) {
  const [before, after, drawn] = ["canvas", "canvas", "canvas"].map((tag) => make(tag));
  const result = make("div", { className: "live-completed", hidden: true });
  const figure = (canvas, title) => make("figure", {}, canvas, make("figcaption", {}, title));
  result.append(
    figure(before, "With its hidden part"),
    figure(after, "Completed, on average"),
    figure(drawn, "Four single draws"),
  );
  const buttons = make(
    "div",
    { className: "live-buttons", hidden: true },
    make("button", { type: "button", textContent: "Complete it", onclick: complete, className: "live-first" }),
    make("button", {
      type: "button",
      textContent: "Show it again",
      onclick: () => {
        surface.remember();
        surface.unhide();
      },
    }),
  );

  let asked = 0;
  async function complete() {
    asked += 1;
    const mine = asked;
    const hidden = surface.hidden.slice();
    const image = await grey();
    if (!image || mine !== asked) return;
    say("Completing …");
    const found = await ask("complete", { image: base64(image), hidden: base64(hidden) });
    if (!found || mine !== asked) return; // there is another drawing, another model, or nothing to complete any more
    say("");
    paint(before, image);
    const pen = before.getContext("2d");
    pen.fillStyle = "#e8710a";
    hidden.forEach((yes, i) => yes && pen.fillRect(i % SIDE, Math.floor(i / SIDE), 1, 1));
    paint(after, bytes(found.completed));
    paint(drawn, bytes(found.drawn), 2, 2);
    result.hidden = false;
  }

  function changed() {
    buttons.hidden = !surface.hidden.some((yes) => yes);
    if (buttons.hidden) forget();
  }

  /** What was completed is of another drawing, or of another model. */
  function forget() {
    asked += 1;
    result.hidden = true;
  }

  return { buttons, result, changed, forget };
}

/** A slider that puts random grey values in place of a share of the pixels; at 0 the image is as it was. */
function noisy(surface, { drawn, grey }) {
  const output = make("output", {}, "0 %");
  const range = make("input", { type: "range", min: 0, max: 100, value: 0 });
  let clean = null; // a promise of {image, values, order}: of every pixel what it becomes, and from which strength on
  const begin = async () => {
    const image = await grey();
    if (image) surface.remember();
    return image && { image, values: random(), order: Array.from(image, () => 100 * Math.random()) };
  };
  const add = async (resting) => {
    output.textContent = `${range.value} %`;
    const mine = (clean ??= begin());
    const found = await mine;
    if (mine !== clean) return; // there is another drawing
    if (!found) return void forget();
    surface.place(found.image.map((value, i) => (found.order[i] < range.value ? found.values[i] : value)));
    drawn(resting);
  };
  range.addEventListener("input", () => add(false));
  range.addEventListener("change", () => clean && add(true));

  function forget() {
    clean = null;
    range.value = 0;
    output.textContent = "0 %";
  }

  return { node: make("label", {}, "Add noise", range, output), forget };
}

/** A button, and a place to drop or paste, for a photograph that the server turns into ink. */
function photograph(place, start, say) {
  const file = make("input", { type: "file", accept: "image/*", hidden: true });
  const take = async (photo) => {
    if (!photo?.type.startsWith("image/")) return void say("That is no picture: choose a photograph.");
    if (photo.size > LARGEST_PHOTO)
      return void say(`The photograph is larger than ${LARGEST_PHOTO / 2 ** 20} MB: choose a smaller one.`);
    say("Reading the photograph …");
    const answer = await answerOf(
      fetch(addressOf("live/photo"), { method: "POST", body: photo }).then((response) => response.json()),
    );
    if (answer.error) return void say(answer.error);
    start(bytes(answer.ink));
  };
  file.addEventListener("change", () => {
    if (file.files.length) take(file.files[0]);
    file.value = ""; // the same file can be chosen again
  });
  place.addEventListener("dragover", (event) => event.preventDefault());
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files];
    if (pasted.length && place.offsetParent !== null) take(pasted[0]);
  });
  return make(
    "span",
    {},
    make("button", {
      type: "button",
      textContent: "Photo…",
      title: "or drop or paste one on the pad",
      onclick: () => file.click(),
    }),
    file,
  );
}

/** Uniformly random grey bytes. */
const random = () => crypto.getRandomValues(new Uint8Array(SIDE * SIDE));

function example(label, image, start) {
  const canvas = make("canvas", { title: `a test image of label ${label}` });
  paint(canvas, image);
  const button = make("button", { type: "button", onclick: () => start(image) }, canvas);
  button.setAttribute("aria-label", `Start from a ${label}`);
  return button;
}
