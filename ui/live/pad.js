// A pad to draw on with mouse, touch or pen, and what the model makes of the drawing while the stroke goes.

import { show } from "./feed.js";
import { base64, bytes, latest, make, nats, paint, SIDE } from "./page.js";

const SIZE = 280; // pixels of the pad's own canvas
const PAD = 56; // pixels a side of what is posted
const WIDTH = 22; // of the stroke: about MNIST's
const EVERY = 80; // ms between two posts during a stroke
const KEPT = "vae-drawing"; // the last drawing as it was posted, for the Latents tab and for a reload

export function mount({ element, props, server, watch }) {
  const view = layout(element.querySelector(".live"));
  const { pad, message } = view;
  const pen = pad.getContext("2d", { willReadFrequently: true });
  Object.assign(pen, { lineWidth: WIDTH, lineCap: "round", lineJoin: "round", strokeStyle: "white" });
  let posted = null; // what the shown answer is for: {ink} or {image}

  const ask = latest((request) => server.look(request), (answer) => {
    if (!posted) return; // cleared meanwhile
    if (answer.error) message.textContent = answer.error;
    else fill(view, answer);
  });
  const post = (drawing) => {
    posted = drawing;
    message.textContent = "";
    sessionStorage.setItem(KEPT, JSON.stringify(drawing));
    ask({ model: props.value.model, ...drawing });
  };
  const clear = () => {
    posted = null;
    sessionStorage.removeItem(KEPT);
    pen.clearRect(0, 0, SIZE, SIZE);
    empty(view, "Draw a digit, or start from one below.");
  };

  strokes(pad, pen, () => post({ ink: shrunk(pad) }));
  view.clear.onclick = clear;

  const begin = async () => {
    const about = props.value.model ? await server.describe({ model: props.value.model }) : { error: "There is no model yet: train one first." };
    if (!about || about.error) return void (message.textContent = about?.error ?? "The server does not answer.");
    view.binarization.textContent = SEEN[about.binarization];
    view.from.textContent = `Or start from a test digit (${about.examples_from}):`;
    view.examples.replaceChildren(...about.examples.map(({ label, image }) => example(label, image, () => {
      place(pen, bytes(image));
      post({ image });
    })));
    if (posted) post(posted);
  };

  empty(view, "Draw a digit, or start from one below.");
  posted = keptDrawing();
  if (posted) place(pen, bytes(posted.image ?? posted.ink));
  // A model that is training is looked at anew whenever its weights are.
  let version = null;
  show(element, ({ run, newest }) => {
    if (run !== props.value.model || !newest || newest === version) return;
    version = newest;
    if (posted) post(posted);
  });
  watch("value", begin);
  begin();
}

/** The drawing as it was last posted, {ink} or {image}; null where there is none. */
export function keptDrawing() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    return bytes(kept.image ?? kept.ink).length ? kept : null;
  } catch {
    return null; // nothing is kept, or no drawing of ours
  }
}

const SEEN = {
  dynamic: "28×28, each pixel drawn as 0 or 1 with its grey value as the chance",
  threshold: "28×28, 1 where the grey value is at least ½",
  grey: "28×28, grey",
};

function layout(node) {
  const view = {
    pad: make("canvas", { width: SIZE, height: SIZE, className: "live-ink" }),
    clear: make("button", { type: "button", textContent: "Clear" }),
    message: make("div", { className: "live-message" }),
    from: make("div"),
    examples: make("div", { className: "live-examples" }),
    seen: make("canvas"), reconstruction: make("canvas"), binarization: make("small"),
    reconstructionTerm: make("output"), kl: make("output"), elbo: make("output"),
  };
  view.pad.setAttribute("aria-label", "Drawing pad");
  view.message.setAttribute("role", "status");
  const figure = (canvas, title, ...notes) => make("figure", {}, canvas, make("figcaption", {}, title, ...notes));
  const row = (name, output, sign, note) => make("tr", {}, make("td", {}, sign), make("th", {}, name), make("td", {}, output), make("td", {}, note));
  node.append(
    make("div", { className: "live-column" },
      view.pad, make("div", { className: "live-buttons" }, view.clear), view.message, view.from, view.examples),
    make("div", { className: "live-column" },
      make("div", { className: "live-pair" },
        figure(view.seen, "What the model sees", make("br"), view.binarization),
        figure(view.reconstruction, "Its reconstruction", make("br"), make("small", {}, "decoded from the mean of q(z|x)"))),
      make("table", { className: "live-terms" }, make("tbody", {},
        row("Reconstruction term", view.reconstructionTerm, "", "E log p(x|z) over q(z|x), 64 draws"),
        row("KL", view.kl, "−", "of q(z|x) from the prior p(z)"),
        row("ELBO", view.elbo, "=", "at most log p(x)")))),
  );
  return view;
}

function fill(view, answer) {
  paint(view.seen, bytes(answer.seen));
  paint(view.reconstruction, bytes(answer.reconstruction));
  // Rounded so that the column adds up; what that moves is less than the draws' own scatter.
  const [kl, elbo] = [answer.kl, answer.elbo].map((value) => (value === null ? null : Math.round(value * 10) / 10));
  view.reconstructionTerm.textContent = `${nats(kl === null || elbo === null ? null : elbo + kl)} nats`;
  view.kl.textContent = `${nats(kl)} nats`;
  view.elbo.textContent = `${nats(elbo)} nats`;
}

function empty(view, text) {
  const nothing = new Uint8Array(SIDE * SIDE);
  paint(view.seen, nothing);
  paint(view.reconstruction, nothing);
  for (const output of [view.reconstructionTerm, view.kl, view.elbo]) output.textContent = "–";
  view.message.textContent = text;
}

function example(label, image, onclick) {
  const canvas = make("canvas", { title: `a test image of label ${label}` });
  paint(canvas, bytes(image));
  const button = make("button", { type: "button", onclick }, canvas);
  button.setAttribute("aria-label", `Start from a ${label}`);
  return button;
}

/** Draws while a pointer is down and calls changed() while and after it moves. */
function strokes(pad, pen, changed) {
  let asked = 0;
  let from = null;
  const at = ({ clientX, clientY }) => {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [((clientX - left) * SIZE) / width, ((clientY - top) * SIZE) / height];
  };
  // Each piece is drawn once: a path that is stroked again and again loses its soft edge.
  const line = ([x, y]) => {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(x, y);
    pen.stroke();
    from = [x, y];
  };
  const soon = () => {
    if (performance.now() - asked < EVERY) return;
    asked = performance.now();
    changed();
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    from = at(event);
    line([from[0] + 0.01, from[1]]); // a line of no length at all would leave no dot
    soon();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const part of events.length ? events : [event]) line(at(part));
    soon();
  });
  pad.addEventListener("lostpointercapture", changed);
}

/** The pad's ink as base64 of 56×56 bytes. */
function shrunk(pad) {
  const small = new OffscreenCanvas(PAD, PAD).getContext("2d");
  small.imageSmoothingQuality = "high";
  small.drawImage(pad, 0, 0, PAD, PAD);
  const { data } = small.getImageData(0, 0, PAD, PAD);
  return base64(Uint8Array.from({ length: PAD * PAD }, (_, i) => data[4 * i + 3])); // opacity is ink
}

/** Puts an image of grey bytes, 28×28 or 56×56, on the pad, grey as opacity. */
function place(pen, grey) {
  const side = Math.sqrt(grey.length);
  const small = new OffscreenCanvas(side, side);
  const image = new ImageData(side, side);
  grey.forEach((value, i) => image.data.set([255, 255, 255, value], 4 * i));
  small.getContext("2d").putImageData(image, 0, 0);
  pen.clearRect(0, 0, SIZE, SIZE);
  pen.drawImage(small, 0, 0, SIZE, SIZE);
}
