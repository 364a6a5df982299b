// The ELBOs of the test images under this model as a histogram, and a drawing's place among them.

import { make, minus, nats, scaleEnds } from "../shared/page.js";
import { set, svg } from "../shared/svg.js";

/** @import { Crowd } from "../shared/types.js" */

const BINS = 48;
const SIMPLE = 0.01; // share of the test images with a higher ELBO, below which a picture is not called strange at all
const [WIDTH, HEIGHT] = [480, 60];

/**
 * The share of the crowd with a higher ELBO, from 0 to 1.
 *
 * @param {number[]} elbos in ascending order
 * @param {number} elbo
 */
export function stranger(elbos, elbo) {
  return elbos.filter((other) => other > elbo).length / elbos.length;
}

/** The histogram, empty. */
export function crowdView() {
  const bars = svg("g");
  const mark = svg("line", { y1: 0, y2: HEIGHT, class: "live-mark" });
  const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" };
  const picture = svg("svg", box, bars, mark);
  const ends = scaleEnds();
  const sentence = make("div", { className: "live-sentence" });
  const node = make("div", { className: "live-crowd" }, sentence, picture, ends.node);
  /** @type {Crowd | null} */
  let crowd = null;
  let range = [0, 1];

  const place = (/** @type {number} */ elbo) => (elbo - range[0]) / (range[1] - range[0]);

  /**
   * Takes the server's `crowd`.
   *
   * @param {Crowd} answer
   */
  function take(answer) {
    const { elbos } = answer;
    clear();
    if (elbos.length === 0) return;
    crowd = answer;
    node.hidden = false;
    const quantile = (/** @type {number} */ share) => elbos[Math.floor(share * (elbos.length - 1))];
    const [low, high] = [quantile(0.005), quantile(1)];
    range = [low - 0.1 * (high - low || 1), high + 0.05 * (high - low || 1)];
    const counts = new Array(BINS).fill(0);
    for (const elbo of elbos) counts[Math.min(BINS - 1, Math.max(0, Math.floor(BINS * place(elbo))))] += 1;
    const most = Math.max(...counts);
    const columns = counts.map((count, i) => {
      const height = (HEIGHT * count) / most;
      return svg("rect", { x: (i * WIDTH) / BINS, y: HEIGHT - height, width: WIDTH / BINS - 1, height });
    });
    bars.replaceChildren(...columns);
    ends.low.textContent = `${nats(range[0])} or less`;
    ends.high.textContent = `${nats(range[1])} nats, ELBOs of ${elbos.length.toLocaleString("en")} test images`;
  }

  /**
   * Shows a drawing's place.
   *
   * @param {number | null} elbo null where there is none that can be compared
   * @param {string} [version] of the weights that the ELBO is by
   * @param {string} [why] there is none
   */
  function show(elbo, version, why = "The drawing's place among test images") {
    if (!crowd || elbo === null) {
      mark.style.display = "none";
      sentence.textContent = crowd ? why : "";
      picture.setAttribute("aria-label", sentence.textContent);
      return;
    }
    mark.style.display = "";
    const x = WIDTH * Math.min(0.998, Math.max(0.002, place(elbo)));
    set(mark, { x1: x, x2: x });
    const old = version === crowd.version ? "" : " (as of the weights of a moment ago)";
    sentence.replaceChildren(...comparison(crowd, elbo), old);
    picture.setAttribute("aria-label", minus(`${sentence.textContent}; its ELBO is ${nats(elbo)} nats`));
  }

  /** Nothing is known of a crowd. */
  function clear() {
    crowd = null;
    node.hidden = true;
  }

  clear();
  return { node, take, show, clear, version: () => crowd?.version };
}

/**
 * Says where an ELBO lies among those of the test images.
 *
 * @param {Crowd} crowd
 * @param {number} elbo
 */
function comparison({ elbos, data }, elbo) {
  const share = stranger(elbos, elbo);
  const images = ` of ${of(data)} test images, by its ELBO`;
  if (share >= SIMPLE) return ["stranger than ", make("strong", {}, `${percent(share)} %`), images];
  const most = make("strong", {}, share === 0 ? "all" : "over 99 %");
  return ["easier to explain than ", most, `${images}: simple, which does not make it typical`];
}

/** @param {number} share */
const percent = (share) => (share < 1 && share > 0.99 ? "over 99" : Math.round(100 * share));

/** @param {string} data */
const of = (data) => (data.endsWith("s") ? `${data}’` : `${data}’s`);
