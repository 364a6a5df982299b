// q in the hand: μ and σ of one dimension, the encoder's q back again, and the way to the best q.

import { dimensions } from "./dims.js";
import { make, minus, nats } from "../shared/page.js";
import { svg } from "./posterior.js";

const TOUCH = matchMedia("(hover: none)").matches; // a finger that moves scrolls the page
const REACH = 4; // prior standard deviations that the slider of μ goes, at least
const [LEAST, LARGEST] = [0.01, 10]; // prior standard deviations that the slider of σ goes, on a scale of powers of ten
const [WIDTH, HEIGHT] = [300, 70];

/** onq({mu, std}): q was moved by hand. encode, refine, send: what the buttons do. */
export function grab({ onq, encode, refine, send }) {
  let about = null;
  let q = null; // that is shown
  let own = null; // the encoder's
  let j = null;
  let reach = 0; // of the slider of μ, now
  const slider = (name) => {
    const range = make("input", { type: "range", step: "any" });
    const output = make("output");
    return { range, output, node: make("label", {}, make("span", {}, name), range, output) };
  };
  const [mean, width] = [slider("μ"), slider("σ")];
  const which = make("div", { className: "live-title" });
  const button = (textContent, onclick) => make("button", { type: "button", textContent, onclick, disabled: true });
  const buttons = [
    button("Let the encoder do it", encode),
    button("Refine q", refine),
    button("Send to Latents", send),
  ];
  const line = svg("polyline", { class: "live-trail" });
  const most = svg("line", { x1: 0, x2: WIDTH, class: "live-mark" });
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" }, most, line);
  const title = make("div");
  const legend = make("div", { className: "live-scale" }, make("span"), make("span"));
  const trail = make("figure", { className: "live-way", hidden: true }, title, picture, legend);
  const chart = dimensions({
    onTake: (index) => {
      j = index;
      showSliders();
    },
    onDrag: (index, value) => {
      j = index;
      move({ mu: value });
    },
  });
  const node = make(
    "div",
    { className: "live-grab" },
    chart.node,
    which,
    make("div", { className: "live-handles" }, mean.node, width.node),
    make("div", { className: "live-buttons" }, ...buttons),
  );

  mean.range.addEventListener("input", () => move({ mu: Number(mean.range.value) }));
  width.range.addEventListener("input", () => move({ std: about.prior_std * 10 ** Number(width.range.value) }));

  function move({ mu, std }) {
    if (!q) return;
    q = { ...q, mu: [...q.mu], std: [...q.std] };
    if (mu !== undefined) q.mu[j] = mu;
    if (std !== undefined) q.std[j] = std;
    chart.show({ ...q, own });
    showSliders(true);
    onq(q);
  }

  function take(model) {
    about = model;
    q = null;
    for (const it of buttons) it.disabled = true; // until there is a q of this model
    Object.assign(width.range, { min: Math.log10(LEAST), max: Math.log10(LARGEST) });
    Object.assign(mean.range, { min: about.prior_mean - 1, max: about.prior_mean + 1, value: about.prior_mean });
    width.range.value = 0;
    mean.range.ariaLabel = "μ of the chosen dimension";
    width.range.ariaLabel = "σ of the chosen dimension";
    chart.take(model);
  }

  /** The q to show, and the encoder's own. */
  function show(shown, encoders) {
    [q, own] = [{ mu: shown.mu, std: shown.std }, encoders];
    chart.show({ ...q, own });
    showSliders();
    for (const it of buttons) it.disabled = false;
  }

  function showSliders(moving = false) {
    which.textContent =
      j === null ? "" : `Grab q: ${TOUCH ? "tap a dimension above" : "click a dimension above, or drag it"}`;
    for (const { range } of [mean, width]) range.disabled = !q || j === null;
    if (!q || j === null) return;
    which.textContent = `Grab q: dimension z${j} (${TOUCH ? "tap another one above" : "click another one above, or drag it"})`;
    const least = moving ? reach : REACH * about.prior_std; // it does not shrink under the hand
    reach = Math.max(least, Math.abs(q.mu[j] - about.prior_mean)); // a drawing may lie further out
    Object.assign(mean.range, { min: about.prior_mean - reach, max: about.prior_mean + reach, value: q.mu[j] });
    width.range.value = Math.log10(q.std[j] / about.prior_std);
    mean.output.textContent = minus(q.mu[j].toFixed(2));
    width.output.textContent = q.std[j].toFixed(3);
  }

  /** The ELBO along the way of a refinement, as far as its point `count`, under log p(x). */
  function showWay({ path, ended }, count, evidence) {
    trail.hidden = path.length < 2;
    if (trail.hidden) return;
    const known = path.slice(0, count).map(({ elbo }) => elbo);
    const ends = [...path.map(({ elbo }) => elbo), evidence].filter((value) => value !== null);
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    const y = (value) => 4 + ((HEIGHT - 8) * (high - value)) / (high - low || 1);
    line.setAttribute(
      "points",
      known.map((value, i) => `${4 + ((WIDTH - 8) * i) / (path.length - 1)},${y(value ?? low)}`).join(" "),
    );
    most.setAttribute("y1", y(evidence ?? high));
    most.setAttribute("y2", y(evidence ?? high));
    title.textContent = `ELBO of q over ${path.at(-1).step} gradient steps${ended ? "" : ", cut short"}, and log p(x)`;
    legend.firstChild.textContent = `${nats(path[0].elbo)} at step 0`;
    legend.lastChild.textContent = `${nats(path.at(-1).elbo)} nats`;
  }

  function clear() {
    q = null;
    chart.clear();
    trail.hidden = true;
    showSliders();
    for (const it of buttons) it.disabled = true;
  }

  clear();
  return { node, way: trail, take, show, showWay, clear, q: () => q };
}
