// The Draw tab: a drawing, what the model makes of it while the stroke goes, and q in the hand.

import { show } from "./feed.js";
import { crowdView } from "./crowd.js";
import { grab } from "./grab.js";
import { POSTED, Surface } from "./ink.js";
import { looked } from "./looked.js";
import { meter } from "./meter.js";
import { base64, bytes, latest, make, openTab, SIDE } from "./page.js";
import { plane } from "./plane.js";
import { movePoint } from "./point.js";
import { tools } from "./tools.js";

const SURE = 1000; // draws of log p̂(x) when the pen rests
const QUICK = 64; // while it moves
const CROWD_AGAIN = 10_000; // ms between two crowds of a model that is training
const KEPT = "vae-drawing"; // the last drawing as it was posted, for the Latents tab and for a reload
const START = "Draw a digit, or start from one below.";

let onPut = () => {}; // of the mounted pad

export function mount({ element, props, server, watch }) {
  const node = element.querySelector(".live");
  const message = make("div", { className: "live-message", role: "status" });
  const pictures = looked();
  const gauge = meter();
  const others = crowdView();
  const map = plane();
  const surface = new Surface({
    changed: (resting) => { bench.stroked(); drawn(resting); },
    hid: () => bench.hid(),
  });
  const bench = tools(surface, { drawn, cleared: clear, say, ask, grey: () => answer && bytes(answer.grey) });
  const hand = grab({ onq: held, encode, refine, send });
  node.append(
    make("div", { className: "live-desk" }, surface.node, bench.bar, message, bench.start),
    make("div", { className: "live-made" }, pictures.pair, bench.completed, pictures.many),
    make("div", { className: "live-q" }, hand.node, map.node),
    make("div", { className: "live-weighed" }, gauge.node, others.node, hand.way),
  );

  let described = null; // the model that the page knows, and asks
  let answer = null; // what the model makes of the drawing, as last heard
  let q = null; // what is judged: {mu, std, and its terms}
  let evidence = { value: null, how: "" }; // log p(x), by the best means so far
  let path = null; // of the refinement, as far as it is shown
  let round = 0; // of drawings: clearing begins a new one, and answers of an older one come too late
  let hold = 0; // of q: whoever takes it over begins a new one

  // Asking

  function say(text) {
    message.textContent = text;
  }

  /** An answer of the server; null after saying what is wrong. */
  async function ask(name, request) {
    const found = await server[name]({ model: described, ...request }).catch(() => undefined);
    if (!found || found.error) say(found?.error ?? "The server does not answer.");
    return !found || found.error ? null : found;
  }

  const look = latest(({ request }) => server.look(request), (found, asked) => {
    if (asked.round !== round) return;
    if (found.error) say(found.error);
    else take(found, asked);
  });

  /** The drawing changed; resting: no stroke goes. */
  function drawn(resting = true) {
    const drawing = surface.drawing();
    if (!drawing) return empty();
    sessionStorage.setItem(KEPT, JSON.stringify(drawing));
    surface.node.classList.remove("live-blank");
    if (!described) return; // begin will ask
    say("");
    look({ request: { model: described, ...drawing, draws: resting ? SURE : QUICK }, round, resting });
  }

  function take(found, { request, resting }) {
    hold += 1;
    answer = found;
    path = null;
    evidence = { value: found.log_px, how: found.exact ? `exact, ${found.exact}` : `estimated by ${request.draws} draws of q(z|x)` };
    hand.showWay({ path: [] }, 0, null);
    pictures.show(found);
    others.show(found.elbo, found.version);
    showQ(own());
    map.node.classList.add("live-old"); // it is of the drawing before
    if (resting) rest();
  }

  /** What is asked only when no stroke goes: the others' ELBOs, and the exact posterior of a plane. */
  let crowdAsked = -Infinity;
  async function rest() {
    const mine = answer;
    if (others.version() !== mine.version && performance.now() - crowdAsked > CROWD_AGAIN) {
      crowdAsked = performance.now();
      others.take(await ask("crowd", {}));
      if (answer) others.show(answer.elbo, answer.version);
    }
    if (mine !== answer || mine.z.length !== 2) return;
    const truth = await ask("truth", { image: mine.seen });
    if (mine !== answer || !truth) return;
    map.take(truth);
    map.node.classList.remove("live-old");
    if (!mine.exact && truth.log_px !== null) evidence = { value: truth.log_px, how: "exact, by quadrature over the plane" };
    showTerms(q);
  }

  // q

  /** The encoder's q with its terms. */
  function own() {
    return { ...answer, mu: answer.z };
  }

  function showQ(shown) {
    hand.show(shown, own());
    showTerms(shown);
  }

  function showTerms(shown) {
    q = shown;
    gauge.show({ ...q, log_px: evidence.value, how: evidence.how }, path && { encoder: answer.elbo, best: path.at(-1).elbo });
    map.show(q, path ?? []);
  }

  const judge = latest(({ request }) => server.judge(request), (found, asked) => {
    if (asked.hold !== hold) return;
    if (found.error) return void say(found.error);
    pictures.decoded(found.reconstruction, `the mean of the ${asked.whose}`);
    showTerms({ ...found, mu: asked.request.mu, std: asked.request.std });
  });

  function judged({ mu, std }, whose = "q in your hand") {
    judge({ request: { model: described, image: answer.seen, mu, std }, hold, whose });
  }

  let moved = 0; // by hand: ends what moves by itself
  function held(by) {
    moved += 1;
    judged(by);
  }

  /** Calls frame(t) with t up to 1; false where a hand or another drawing took over. */
  async function animate(ms, frame) {
    const [mine, of, began] = [(moved += 1), answer, performance.now()];
    for (let t = 0; t < 1;) {
      await new Promise(requestAnimationFrame);
      if (mine !== moved || of !== answer) return false;
      t = Math.min(1, (performance.now() - began) / ms);
      frame(t);
    }
    return true;
  }

  async function encode() {
    const [from, to] = [hand.q(), own()];
    const between = (name, t) => from[name].map((value, j) => value + t * (to[name][j] - value));
    const done = await animate(500, (t) => {
      const at = { mu: between("mu", t), std: between("std", t) };
      hand.show(at, to);
      judged(at);
    });
    if (!done) return;
    hold += 1; // answers to questions on the way come too late
    pictures.decoded(answer.reconstruction);
    showQ(to);
  }

  let refining = false;
  async function refine() {
    if (refining) return;
    const mine = answer;
    refining = true;
    say("Refining q …");
    const found = await ask("refine", { image: mine.seen });
    refining = false;
    if (mine !== answer || !found) return;
    say("");
    hold += 1;
    if (!evidence.how.startsWith("exact")) evidence = { value: found.log_px, how: `estimated by ${SURE} draws of the refined q` };
    const reach = (count) => {
      path = found.path.slice(0, count);
      hand.showWay(found, count, evidence.value);
    };
    const done = await animate(1200, (t) => {
      reach(Math.max(1, Math.ceil(t * found.path.length)));
      showQ(path.at(-1));
    });
    if (mine !== answer) return;
    reach(found.path.length);
    if (done) judged(path.at(-1), "refined q"); // for its picture
    else showTerms(q);
  }

  function send() {
    movePoint(hand.q().mu, "draw");
    openTab("Latents");
  }

  // The drawing

  function empty() {
    round += 1;
    hold += 1;
    sessionStorage.removeItem(KEPT);
    [answer, q, path] = [null, null, null];
    for (const part of [pictures, gauge, hand]) part.clear();
    map.take(null);
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
    if (described !== model) forget();
    const about = await ask("describe", { model });
    if (!about || model !== props.value.model) return;
    described = model;
    pictures.about(about);
    bench.offer(about);
    hand.take(about);
    if (surface.drawing()) drawn();
  }

  /** Nothing is known of a model any more, nor shown as if it were of the next one. */
  function forget() {
    round += 1;
    hold += 1;
    [described, answer, path, crowdAsked] = [null, null, null, -Infinity];
    hand.clear();
    others.take(null);
    map.take(null);
  }

  function place({ image, ink }) {
    surface.place(bytes(image ?? ink));
  }

  const kept = keptDrawing();
  if (kept) place(kept);
  else empty();
  // A model that is training is looked at anew whenever its weights are.
  let version = null;
  show(element, ({ run, newest }) => {
    if (run !== props.value.model || !newest || newest === version) return;
    version = newest;
    if (answer) drawn();
  });
  onPut = (drawing) => {
    surface.remember();
    place(drawing);
    drawn();
  };
  node.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    surface.undo();
  });
  watch("value", begin);
  begin();
}

/** The drawing as it was last posted, {ink} or {image}; null where there is none. */
export function keptDrawing() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    return [SIDE ** 2, POSTED ** 2].includes(bytes(kept.image ?? kept.ink).length) ? kept : null;
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
