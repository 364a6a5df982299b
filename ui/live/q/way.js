// The way of a refinement: the ELBO over the gradient steps, under log p(x).

import { make, nats, scaleEnds } from "../shared/page.js";
import { set, svg } from "../shared/svg.js";

/** @import { Refined } from "../shared/types.js" */

const [WIDTH, HEIGHT] = [300, 70];

/** The chart of a refinement, hidden until there is one. */
export function wayOf() {
  const line = svg("polyline", { class: "live-trail" });
  const most = svg("line", { x1: 0, x2: WIDTH, class: "live-mark" });
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" }, most, line);
  const title = make("div");
  const ends = scaleEnds();
  const node = make("figure", { className: "live-way", hidden: true }, title, picture, ends.node);
  let name = "log p(x)";

  /** @param {string} evidence what it is called */
  function about(evidence) {
    name = evidence;
  }

  /**
   * Shows the way as far as its point `count`.
   *
   * @param {Refined} refined
   * @param {number} count
   * @param {number | null} evidence log p(x)
   */
  function show({ path, ended }, count, evidence) {
    node.hidden = path.length < 2;
    if (node.hidden) return;
    const last = path[path.length - 1];
    const known = path.slice(0, count).map(({ elbo }) => elbo);
    const values = [...path.map(({ elbo }) => elbo), evidence].filter((value) => value !== null);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const y = (/** @type {number} */ value) => 4 + ((HEIGHT - 8) * (high - value)) / (high - low || 1);
    const x = (/** @type {number} */ i) => 4 + ((WIDTH - 8) * i) / (path.length - 1);
    set(line, { points: known.map((value, i) => `${x(i)},${y(value ?? low)}`).join(" ") });
    set(most, { y1: y(evidence ?? high), y2: y(evidence ?? high) });
    title.textContent = `ELBO of q over ${last.step} gradient steps${ended ? "" : ", cut short"}, and ${name}`;
    ends.low.textContent = `${nats(path[0].elbo)} at step 0`;
    ends.high.textContent = `${nats(last.elbo)} nats`;
  }

  function clear() {
    node.hidden = true;
  }

  return { node, about, show, clear };
}
