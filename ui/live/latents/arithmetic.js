// Vector arithmetic: the mean of one label's images minus the mean of another's, added to the point.

import { failed } from "../shared/ask.js";
import { model, onModel } from "../shared/model.js";
import { make } from "../shared/page.js";
import { meansOf } from "../space/means.js";
import { movePoint, onPoint, point } from "../space/point.js";

/** @import { Means, Place, Z } from "../shared/types.js" */

const FIRST = [9, 4]; // the labels whose means it takes at first, if there are any

/**
 * The arithmetic.
 *
 * @param {Place} place
 */
export function arithmetic({ say }) {
  const [plus, minus] = ["Plus", "Minus"].map((ariaLabel) => make("select", { ariaLabel }));
  const strength = make("input", { type: "range", min: -2, max: 2, step: 0.01, value: 0, ariaLabel: "Strength" });
  const output = make("output", {}, "0.00");
  const difference = make("span", {}, "(", plus, " − ", minus, ")");
  const line = ["z + ", make("label", {}, strength, output), " × ", difference];
  const content = make("div", {}, make("div", { className: "live-controls" }, ...line));
  /** @type {Z | null} */
  let base = null; // the point that the strength is counted from

  const rest = () => {
    base = null;
    strength.value = "0";
    output.textContent = "0.00";
  };
  plus.onchange = rest;
  minus.onchange = rest;
  onModel(({ about }, isOther) => {
    if (!isOther || !about) return;
    const labels = about.examples.map(({ label }) => label);
    [plus, minus].forEach((node, k) => {
      offer(node, labels, FIRST[k]);
    });
    rest();
  });
  onPoint(({ by }) => {
    if (by !== "arithmetic") rest();
  });
  strength.oninput = async () => {
    base ??= point.z;
    output.textContent = Number(strength.value).toFixed(2);
    const means = await meansOf(model.id);
    if (failed(means)) {
      say(means.error);
      return;
    }
    const [a, b] = [plus, minus].map(({ value }) => centre(means, Number(value)));
    if (!a || !b) say("There are no test images of that label.");
    else if (base)
      movePoint(
        base.map((value, j) => value + Number(strength.value) * (a[j] - b[j])),
        "arithmetic",
      );
  };
  return content;
}

/**
 * Fills a choice with the labels of the test images; what is chosen stays, if there still is such a label.
 *
 * @param {HTMLSelectElement} node
 * @param {number[]} labels
 * @param {number} first
 */
function offer(node, labels, first) {
  const chosen = node.value === "" ? first : Number(node.value);
  node.replaceChildren(...labels.map((n) => make("option", { value: n }, `mean of label ${n}`)));
  if (labels.includes(chosen)) node.value = String(chosen);
}

/**
 * The mean of the posterior means of a label's images; null where there are none.
 *
 * @param {Pick<Means, "mu" | "labels" | "dims">} means
 * @param {number} label
 */
export function centre({ mu, labels, dims }, label) {
  const sum = new Float64Array(dims);
  let count = 0;
  labels.forEach((each, n) => {
    if (each !== label) return;
    count += 1;
    for (let j = 0; j < dims; j += 1) sum[j] += mu[n * dims + j];
  });
  return count ? sum.map((value) => value / count) : null;
}
