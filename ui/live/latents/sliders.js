// One slider for each latent dimension, the most informative first, each with its KL, the prior's density and a strip of
// what it does. Those that carry nothing are folded away.

import { never } from "../shared/background.js";
import { show } from "../shared/feed.js";
import { model, onModel, onModelAtLeisure, pictures } from "../shared/model.js";
import { density } from "../shared/normal.js";
import { make, minus, paint } from "../shared/page.js";
import { movePoint, onPoint, point } from "../shared/point.js";
import { ASLEEP } from "../shared/vocabulary.js";

const REACH = 4; // prior standard deviations to either side
const STRIP = 11; // pictures along a dimension
const SOON = 500; // ms
const REST = 120; // ms without a move after which the strips follow

/** Puts the sliders into a node. */
export function sliders(node) {
  const awake = make("div", { className: "live-list" });
  const asleep = make("div", { className: "live-list" });
  const summary = make("summary");
  const nothing = make(
    "p",
    { hidden: true },
    "Every dimension is asleep: the encoder says next to nothing, and the decoder has learned not to listen.",
  );
  const folded = make("details", { className: "live-asleep" }, summary, asleep);
  const strips = make("input", { type: "checkbox", checked: true });
  node.append(
    make("label", { className: "live-check" }, strips, "what each does, from −3 to 3 σ"),
    awake,
    nothing,
    folded,
  );
  let rows = [];
  let timer = 0;

  const drawStrips = () => rows.forEach((row) => row.strip(strips.checked && (folded.open || !row.asleep)));
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(drawStrips, REST);
  };
  strips.onchange = drawStrips;
  folded.ontoggle = drawStrips;

  onModel(({ about }, anew) => {
    if (anew) {
      const dims = about?.dims ?? [];
      rows = dims.map((dim) => slider(dim, about));
      const sleeping = rows.filter((row) => row.asleep);
      awake.replaceChildren(...rows.filter((row) => !row.asleep).map((row) => row.node));
      asleep.replaceChildren(...sleeping.map((row) => row.node));
      summary.textContent = `asleep: ${sleeping.length}`;
      summary.title = `Dimensions whose KL is below ${ASLEEP} nats: the encoder says nothing through them.`;
      folded.hidden = sleeping.length === 0;
      nothing.hidden = sleeping.length === 0 || sleeping.length < rows.length;
      folded.open = !nothing.hidden;
      if (point.z?.length === dims.length) rows.forEach((row) => row.show(point.z[row.index]));
    }
  });
  onModelAtLeisure(soon);
  // While the model trains, its KLs follow; the order stays, so that nothing moves under the hand.
  show(
    node,
    ({ run, kl_per_dim: kl }) => {
      if (run === model.id && kl.length === rows.length) rows.forEach((row) => row.inform(kl[row.index]));
    },
    SOON,
  );
  onPoint(({ z, by }) => {
    if (z.length === rows.length) rows.forEach((row) => row !== by && row.show(z[row.index]));
    soon();
  });
}

function slider({ index, kl }, about) {
  const { prior_mean: mean, prior_std: std } = about;
  const range = make("input", { type: "range", step: "any" });
  const number = make("input", { type: "number", step: 0.1 });
  const canvas = make("canvas", { className: "live-strip", hidden: true });
  const row = { index, asleep: kl !== null && kl < ASLEEP };
  let shown = null;
  row.show = (value) => {
    if (value === shown) return; // of twenty sliders one moves at a time
    shown = value;
    const reach = Math.max(REACH * std, Math.abs(value - mean)); // a drawing may lie further out
    Object.assign(range, { min: mean - reach, max: mean + reach, value });
    number.value = value.toFixed(2);
  };
  const moved = (value) => {
    shown = value;
    const z = Float32Array.from(point.z);
    z[index] = value;
    movePoint(z, row);
  };
  range.addEventListener("input", () => {
    number.value = Number(range.value).toFixed(2);
    moved(Number(range.value));
  });
  range.addEventListener("dblclick", () => {
    row.show(mean);
    moved(mean);
  });
  number.addEventListener("change", () => {
    if (!Number.isFinite(number.valueAsNumber)) return void (number.value = shown.toFixed(2)); // nothing, or no number
    const value = Math.min(mean + 10 * std, Math.max(mean - 10 * std, number.valueAsNumber));
    row.show(value);
    number.value = value.toFixed(2);
    moved(value);
  });
  range.setAttribute("aria-label", `z${index}`);
  number.setAttribute("aria-label", `z${index} as a number`);
  range.dataset.dim = index;
  row.strip = (wanted) => {
    const key = `strip ${index}`;
    canvas.hidden = !wanted;
    if (!wanted) return void never(key);
    const points = Array.from({ length: STRIP }, (_, n) => {
      const z = Float32Array.from(point.z);
      z[index] = mean + std * (-3 + (6 * n) / (STRIP - 1));
      return z;
    });
    const all = new Uint8Array(784 * STRIP);
    pictures(
      key,
      points,
      (n, grey) => all.set(grey, 784 * n),
      () => paint(canvas, all, STRIP, 1),
    );
  };
  const title = make("span", {}, "z", make("sub", {}, String(index)));
  const information = make("small", {
    title: "KL of this dimension from the prior, averaged over the newest training images",
  });
  row.inform = (nats) => {
    information.textContent = nats === null ? "" : `${minus(nats.toFixed(2))} nats`;
  };
  row.inform(kl);
  const track = make("div", { className: "live-track" }, bell(), range);
  row.node = make("div", { className: "live-row" }, title, track, number, information, canvas);
  return row;
}

/** The prior's density over the slider's track. */
function bell() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 20");
  svg.setAttribute("preserveAspectRatio", "none");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const points = Array.from({ length: 81 }, (_, n) => {
    const x = (n / 80) * 2 * REACH - REACH;
    return `${(n / 80) * 100} ${20 - (18 * density(x)) / density(0)}`;
  });
  path.setAttribute("d", `M0 20L${points.join("L")}L100 20Z`);
  svg.append(path);
  return svg;
}
