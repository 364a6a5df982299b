// μ ± σ of each dimension against the prior, the dimensions with most information first; one of them can be taken.

import { make, minus } from "../shared/page.js";
import { ASLEEP } from "../shared/vocabulary.js";

const REACH = 3; // prior standard deviations to either side, at least
const MOST = 40; // dimensions shown

/** onTake(j): a dimension is chosen; onDrag(j, mu): its μ is dragged with a mouse. */
export function dimensions({ onTake, onDrag }) {
  const list = make("div", { className: "live-dims" });
  const title = make("div", { className: "live-title" });
  const rest = make("button", {
    type: "button",
    className: "live-rest",
    onclick: () => {
      unfolded = !unfolded;
      build();
    },
  });
  const node = make("div", {}, title, list, rest);
  let about = null;
  let unfolded = false;
  let columns = [];
  let shown = null; // {mu, std, own: the encoder's}
  let taken = null;
  let reach = REACH; // now: it grows in steps with what lies further out

  function take(model) {
    about = model;
    shown = null;
    build();
  }

  function build() {
    const awake = about.dims.filter(({ kl }) => kl === null || kl >= ASLEEP);
    const asleep = about.dims.length - awake.length;
    const listed = unfolded || !awake.length ? about.dims : awake.slice(0, MOST);
    columns = listed.map(({ index }) => column(index));
    list.replaceChildren(...columns.map((it) => it.node));
    list.style.setProperty("--count", columns.length);
    const more = awake.length - Math.min(awake.length, MOST);
    rest.hidden = !asleep && !more;
    rest.textContent = unfolded
      ? "Fold those asleep away"
      : [more && `${more} more`, asleep && `${asleep} asleep (below ${ASLEEP} nats in training)`]
          .filter(Boolean)
          .join(" and ");
    title.textContent = "q(z|x): μ ± σ of each dimension, over the prior ± 1 and 2 σ";
    if (!columns.some(({ index }) => index === taken)) taken = columns[0]?.index ?? null;
    onTake(taken);
    if (shown) show(shown);
    else clear();
    mark();
  }

  const height = (z) => 50 + (50 * (z - about.prior_mean)) / (reach * about.prior_std); // % from below
  const inside = (percent) => Math.min(100, Math.max(0, percent));
  const within = (percent) => Math.min(97, Math.max(3, percent)); // so far that a dot is seen as a whole

  function column(index) {
    const [band, dot, ghost] = ["live-band", "live-dot", "live-ghost"].map((className) => make("i", { className }));
    const node = make(
      "button",
      { type: "button", className: "live-dim" },
      make("span", {}, ghost, band, dot),
      make("b", {}, String(index)),
    );
    node.dataset.dim = index;
    const choose = () => {
      taken = index;
      mark();
      onTake(index);
    };
    node.addEventListener("click", choose);
    const drag = ({ clientY }) => {
      const box = node.firstChild.getBoundingClientRect();
      const up = Math.min(1, Math.max(-1, 1 - (2 * (clientY - box.top)) / box.height));
      onDrag(index, about.prior_mean + reach * about.prior_std * up);
    };
    let from = null;
    node.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return; // a finger or pen scrolls the page
      choose();
      from = event.clientY;
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      if (from === null || (node.dataset.held !== "yes" && Math.abs(event.clientY - from) < 3)) return;
      node.dataset.held = "yes";
      drag(event);
    });
    node.addEventListener("lostpointercapture", () => {
      from = null;
      node.dataset.held = "";
    });
    return { index, node, band, dot, ghost };
  }

  function mark() {
    for (const { index, node } of columns) node.setAttribute("aria-pressed", String(index === taken));
  }

  /** q, and the encoder's own, which is seen where q is another. */
  function show(q) {
    shown = q;
    const held = columns.some(({ node }) => node.dataset.held === "yes"); // nothing moves under the hand
    const furthest = Math.max(
      ...columns.flatMap(({ index: j }) =>
        [q.mu[j], q.own.mu[j]].map((mu) => Math.abs(mu - about.prior_mean) / about.prior_std),
      ),
    );
    if (!held) reach = furthest > REACH ? 2 * Math.ceil((furthest + 0.2) / 2) : REACH;
    list.style.setProperty("--sigma", `${50 / reach}%`);
    for (const { index: j, node, band, dot, ghost } of columns) {
      const [low, high] = [-1, 1].map((way) => inside(height(q.mu[j] + way * q.std[j])));
      Object.assign(band.style, { bottom: `${low}%`, height: `${high - low}%` });
      dot.style.bottom = `${within(height(q.mu[j]))}%`;
      ghost.style.bottom = `${within(height(q.own.mu[j]))}%`;
      const text = minus(`z${j}: μ = ${q.mu[j].toFixed(2)}, σ = ${q.std[j].toFixed(2)}`);
      Object.assign(node, { title: text, ariaLabel: text });
    }
  }

  function clear() {
    shown = null;
    for (const { band, dot, ghost } of columns) {
      Object.assign(band.style, { height: "0" });
      dot.style.bottom = ghost.style.bottom = "-100%";
    }
  }

  return { node, take, show, clear };
}
