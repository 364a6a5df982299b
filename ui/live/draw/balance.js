// What is weighed: a q, of the encoder, of a hand or refined, against the best that is known of log p(x).

import { grab } from "./grab.js";
import { meter } from "./meter.js";
import { latest, openTab } from "../shared/page.js";
import { posterior } from "./posterior.js";
import { movePoint } from "../shared/point.js";

export const SURE = 1000; // draws of log p̂(x) when the pen rests, and of a refined q

/**
 * ask(name, request): an answer of the server, or null after saying why not. judge(request): what the server says of a q.
 * say(text). pictures: those of the drawing.
 */
export function balance({ ask, judge, say, pictures }) {
  const gauge = meter();
  const map = posterior();
  const hand = grab({
    onq: held,
    encode,
    refine,
    send: () => {
      movePoint(hand.q().mu, "draw");
      openTab("Latents");
    },
  });
  let answer = null; // what the model makes of the drawing
  let q = null; // that is weighed: {mu, std, and its terms}
  let evidence = { value: null, how: "" }; // log p(x), by the best means so far
  let path = null; // of the refinement, as far as it is shown
  let hold = 0; // of q: whoever takes it over begins a new one, and what is heard of an older one comes too late
  let moved = 0; // by a hand, or by itself: ends what moved before

  /** A drawing's answer, with its log p̂(x) by so many draws, puts the encoder's q on the balance. */
  function take(found, draws) {
    hold += 1;
    [answer, path] = [found, null];
    evidence = {
      value: found.log_px,
      how: found.exact ? `exact, ${found.exact}` : `estimated from below by ${draws} draws of q(z|x)`,
    };
    hand.showWay({ path: [] }, 0, null);
    map.node.classList.add("live-old"); // it is of the drawing before
    showQ(own());
  }

  /** The exact posterior of the drawing, of a model with two dimensions. */
  function takeTruth(truth) {
    map.take(truth);
    map.node.classList.remove("live-old");
    if (!answer.exact && truth.log_px !== null)
      evidence = { value: truth.log_px, how: "exact, by quadrature over the plane" };
    weigh(q);
  }

  /** The encoder's q with its terms. */
  function own() {
    return { ...answer, mu: answer.z };
  }

  function showQ(shown) {
    hand.show(shown, own());
    weigh(shown);
  }

  function weigh(shown) {
    q = shown;
    gauge.show(
      { ...q, log_px: evidence.value, how: evidence.how },
      path && { encoder: answer.elbo, best: path.at(-1).elbo },
    );
    map.show(q, path ?? []);
  }

  const heard = latest(
    ({ request }) => judge(request),
    (found, asked) => {
      if (asked.hold !== hold) return;
      if (found.error) return void say(found.error);
      pictures.held(found, asked.whose);
      weigh({ ...found, mu: asked.request.mu, std: asked.request.std });
    },
  );

  function ponder({ mu, std }, whose = "q in your hand") {
    heard({ request: { image: answer.seen, mu, std }, hold, whose });
  }

  function held(by) {
    moved += 1;
    ponder(by);
  }

  /** Calls frame(t) with t up to 1; false where a hand or another drawing took over. */
  async function animate(ms, frame) {
    const [mine, of, began] = [(moved += 1), answer, performance.now()];
    for (let t = 0; t < 1; ) {
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
      ponder(at);
    });
    if (!done) return;
    hold += 1;
    pictures.show(answer);
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
    if (!found) return;
    if (mine !== answer)
      return void (
        answer?.grey === mine.grey && say("The model has learned on meanwhile: pause its training to refine q.")
      );
    say("");
    hold += 1;
    if (!evidence.how.startsWith("exact"))
      evidence = { value: found.log_px, how: `estimated from below by ${SURE} draws of the refined q` };
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
    if (done)
      ponder(path.at(-1), "refined q"); // for its picture
    else weigh(q);
  }

  function clear() {
    hold += 1;
    [answer, q, path] = [null, null, null];
    gauge.clear();
    hand.clear();
    map.take(null);
  }

  return { gauge: gauge.node, hand: hand.node, way: hand.way, map: map.node, about: hand.take, take, takeTruth, clear };
}
