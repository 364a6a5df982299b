// The ELBOs of the test images under this model as a histogram, and a drawing's place among them.

import { make, minus, nats } from "../shared/page.js";
import { svg } from "./posterior.js";

const BINS = 48;
const [WIDTH, HEIGHT] = [480, 60];

/** The share of the crowd with a higher ELBO, from 0 to 1; elbos ascend. */
export function stranger(elbos, elbo) {
  return elbos.filter((other) => other > elbo).length / elbos.length;
}

export function crowdView() {
  const bars = svg("g");
  const mark = svg("line", { y1: 0, y2: HEIGHT, class: "live-mark" });
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    bars,
    mark,
  );
  const ends = make("div", { className: "live-scale" }, make("span"), make("span"));
  const sentence = make("div", { className: "live-sentence" });
  const node = make("div", { className: "live-crowd" }, sentence, picture, ends);
  let crowd = null;
  let range = [0, 1];

  /** Takes the server's `crowd`, or null. */
  function take(answer) {
    crowd = answer?.elbos.length ? answer : null;
    node.hidden = !crowd;
    if (!crowd) return;
    const { elbos } = crowd;
    const quantile = (share) => elbos[Math.floor(share * (elbos.length - 1))];
    const [low, high] = [quantile(0.005), elbos.at(-1)];
    range = [low - 0.1 * (high - low || 1), high + 0.05 * (high - low || 1)];
    const counts = new Array(BINS).fill(0);
    for (const elbo of elbos) counts[Math.min(BINS - 1, Math.max(0, Math.floor(BINS * place(elbo))))] += 1;
    const most = Math.max(...counts);
    bars.replaceChildren(
      ...counts.map((count, i) => {
        const height = (HEIGHT * count) / most;
        return svg("rect", { x: (i * WIDTH) / BINS, y: HEIGHT - height, width: WIDTH / BINS - 1, height });
      }),
    );
    ends.firstChild.textContent = `${nats(range[0])} or less`;
    ends.lastChild.textContent = `${nats(range[1])} nats, ELBOs of ${elbos.length.toLocaleString("en")} test images`;
  }

  const place = (elbo) => (elbo - range[0]) / (range[1] - range[0]);

  function show(elbo, version) {
    const known = crowd && elbo !== null;
    mark.style.display = known ? "" : "none";
    if (!known) return void (sentence.textContent = crowd ? "The drawing's place among test images" : "");
    const x = WIDTH * Math.min(0.998, Math.max(0.002, place(elbo)));
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
    const share = stranger(crowd.elbos, elbo);
    const percent =
      share > 0 && share < 0.01 ? "under 1" : share < 1 && share > 0.99 ? "over 99" : Math.round(100 * share);
    const old = version === crowd.version ? "" : " (as of the weights of a moment ago)";
    sentence.replaceChildren(
      "stranger than ",
      make("strong", {}, `${percent} %`),
      ` of ${of(crowd.data)} test images${old}`,
    );
    picture.setAttribute("aria-label", minus(`${sentence.textContent}; its ELBO is ${nats(elbo)} nats`));
  }

  take(null);
  return { node, take, show, version: () => crowd?.version };
}

const of = (data) => (data.endsWith("s") ? `${data}’` : `${data}’s`);
