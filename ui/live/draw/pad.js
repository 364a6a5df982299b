// The Draw tab: a drawing, what the model makes of it while the stroke goes, and q in the hand.

import { balance, SURE } from "./balance.js";
import { crowdView } from "./crowd.js";
import { show } from "../shared/feed.js";
import { Surface } from "./ink.js";
import { looked } from "./looked.js";
import { answerOf, base64, bytes, latest, make, SIDE } from "../shared/page.js";
import { tools } from "./tools.js";
import { PAD_SIDE } from "../shared/vocabulary.js";

const QUICK = 64; // draws of log p̂(x) while the pen moves
const CROWD_AGAIN = 10_000; // ms between two crowds of a model that is training
const KEPT = "vae-drawing"; // the last drawing as it was posted, for the Latents tab and for a reload
const FIRST = "Draw something first, or start from a test digit.";
const START = "Draw a digit, or start from one below.";

let onPut = () => {}; // of the mounted pad

export function mount({ element, props, server, watch }) {
  const node = element.querySelector(".live");
  const message = make("div", { className: "live-message", role: "status" });
  const pictures = looked();
  const others = crowdView();
  const surface = new Surface({
    changed: (resting) => {
      bench.stroked();
      drawn(resting);
    },
    hid: () => bench.hid(),
  });
  const bench = tools(surface, { drawn, cleared: clear, say, ask, grey });
  const scales = balance({ ask, say, pictures, judge: (request) => server.judge({ model: described, ...request }) });
  node.append(
    make("div", { className: "live-desk" }, surface.node, bench.bar, message, bench.start),
    make("div", { className: "live-made" }, pictures.pair, bench.completed, pictures.many),
    make("div", { className: "live-q" }, scales.hand, scales.map),
    make("div", { className: "live-weighed" }, scales.gauge, others.node, scales.way),
  );

  let described = null; // the model that the page knows, and asks
  let asking = null; // the one that it asks about
  let answer = null; // what the model makes of the drawing, as last heard
  let heard = ""; // the drawing that it is of
  let looking = null; // until the model has seen the drawing as it is now
  let round = 0; // of drawings: clearing begins a new one, and answers of an older one come too late
  let crowdAsked = -Infinity;

  function say(text) {
    message.textContent = text;
  }

  /** An answer of the server; null after saying what is wrong. */
  async function ask(name, request) {
    const found = await answerOf(server[name]({ model: described, ...request }));
    if (found.error) say(found.error);
    return found.error ? null : found;
  }

  const look = latest(
    ({ request }) => server.look(request),
    (found, asked) => {
      if (asked.round !== round) return;
      if (found.error) return void say(found.error);
      [answer, heard] = [found, posted(asked.request)];
      pictures.show(found);
      others.show(found.elbo, found.version);
      scales.take(found, asked.request.draws);
      if (asked.resting) rest();
    },
  );

  /** The drawing changed, or only the model (same); resting: no stroke goes. */
  function drawn(resting = true, same = false) {
    const drawing = surface.drawing();
    if (!drawing) return empty();
    sessionStorage.setItem(KEPT, JSON.stringify(drawing));
    surface.node.classList.remove("live-blank");
    if (!described) return void begin(); // which asks when it knows the model
    if (!same) say("");
    looking = look({ request: { model: described, ...drawing, draws: resting ? SURE : QUICK }, round, resting });
  }

  /** The drawing as it is now in MNIST's format, 784 bytes; null after saying why there is none. */
  async function grey() {
    if (!surface.drawing()) return void say(FIRST);
    await looking;
    return answer && posted(surface.drawing()) === heard ? bytes(answer.grey) : null; // what is wrong was said then
  }

  /** What is asked only when no stroke goes: the others' ELBOs, and the exact posterior of a plane. */
  async function rest() {
    const mine = answer;
    if (others.version() !== mine.version && performance.now() - crowdAsked > CROWD_AGAIN) {
      crowdAsked = performance.now();
      const of = described;
      const found = await ask("crowd", {});
      if (of !== described) return; // it is another model's
      if (found) others.take(found);
      else crowdAsked = -Infinity; // the next stroke asks again
      if (answer) others.show(answer.elbo, answer.version);
    }
    if (mine !== answer || mine.z.length !== 2) return;
    const truth = await ask("truth", { image: mine.seen });
    if (mine === answer && truth) scales.takeTruth(truth);
  }

  function empty() {
    round += 1;
    sessionStorage.removeItem(KEPT);
    answer = null;
    pictures.clear();
    bench.forget();
    scales.clear();
    others.show(null);
    surface.node.classList.add("live-blank");
    say(START);
  }

  function clear() {
    surface.remember();
    surface.clear();
    empty();
  }

  async function begin() {
    const { model } = props.value;
    if (!model) return say("There is no model yet: train one first.");
    if (asking === model) return;
    if (described !== model) forget();
    asking = model;
    const about = await ask("describe", { model });
    if (model !== props.value.model) return;
    asking = null;
    if (!about) return; // the next stroke asks again
    described = model;
    pictures.about(about);
    bench.offer(about);
    scales.about(about);
    if (surface.drawing()) drawn();
  }

  /** Nothing is known of a model any more, nor shown as if it were of the next one. */
  function forget() {
    round += 1;
    [described, answer, crowdAsked] = [null, null, -Infinity];
    pictures.clear();
    bench.forget();
    scales.clear();
    others.take(null);
  }

  function place(drawing) {
    surface.place(bytes(posted(drawing)));
  }

  const kept = keptDrawing();
  if (kept) place(kept);
  else empty();
  // A model that is training is looked at anew whenever its weights are.
  let version = null;
  show(element, ({ run, newest }) => {
    if (run !== props.value.model || !newest || newest === version) return;
    version = newest;
    if (answer) drawn(true, true);
  });
  onPut = (drawing) => {
    surface.remember();
    place(drawing);
    drawn();
  };
  node.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || (key !== "z" && key !== "y")) return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) surface.redo();
    else surface.undo();
  });
  watch("value", begin);
  begin();
}

/** What is posted of a drawing. */
const posted = (drawing) => drawing?.image ?? drawing?.ink;

/** The drawing as it was last posted, {ink} or {image}; null where there is none. */
export function keptDrawing() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    return [SIDE ** 2, PAD_SIDE ** 2].includes(bytes(posted(kept)).length) ? kept : null;
  } catch {
    return null; // nothing is kept, or no drawing of ours
  }
}

/** Puts an image in MNIST's format, 784 bytes, on the pad: at once where it is mounted, else as soon as it is. */
export function putOnPad(grey) {
  const drawing = { image: base64(grey) };
  sessionStorage.setItem(KEPT, JSON.stringify(drawing));
  onPut(drawing);
}
