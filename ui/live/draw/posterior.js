// Of a model with two latent dimensions: the exact posterior, and q's ellipse over it.

import { bytes, make, minus } from "../shared/page.js";

const SPACE = "http://www.w3.org/2000/svg";
const VIEW = 200; // units a side

/** An SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function posterior() {
  const canvas = make("canvas");
  const ellipses = [2, 1].map((k) => svg("ellipse", { "data-sigma": k }));
  const trail = svg("polyline", { class: "live-trail" });
  const dot = svg("circle", { r: 2.5 });
  const over = svg("svg", { viewBox: `0 0 ${VIEW} ${VIEW}` }, trail, ...ellipses, dot);
  const caption = make("figcaption");
  const node = make("figure", { className: "live-plane" }, make("div", {}, canvas, over), caption);
  let truth = null;

  const x = (z) => (VIEW / 2) * (1 + (z - truth.center[0]) / truth.half);
  const y = (z) => (VIEW / 2) * (1 - (z - truth.center[1]) / truth.half);

  /** Takes the server's `truth`; null where there is none (yet). */
  function take(answer) {
    truth = answer;
    node.hidden = !truth;
    if (!truth) return;
    const density = bytes(truth.density);
    const side = Math.sqrt(density.length);
    [canvas.width, canvas.height] = [side, side];
    const image = new ImageData(side, side);
    density.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
    canvas.getContext("2d").putImageData(image, 0, 0);
    const ends = (j) => [-1, 1].map((way) => minus((truth.center[j] + way * truth.half).toFixed(2))).join(" to ");
    caption.replaceChildren(
      "The exact posterior p(z|x), and q at 1 and 2 σ",
      make("small", {}, `z0 from ${ends(0)}, z1 from ${ends(1)}`),
    );
  }

  /** q's ellipse, and the way that its mean went. */
  function show({ mu, std }, path = []) {
    if (!truth) return;
    for (const ellipse of ellipses) {
      const k = Number(ellipse.dataset.sigma);
      const places = {
        cx: x(mu[0]),
        cy: y(mu[1]),
        rx: (k * std[0] * VIEW) / 2 / truth.half,
        ry: (k * std[1] * VIEW) / 2 / truth.half,
      };
      for (const [name, value] of Object.entries(places)) ellipse.setAttribute(name, value);
    }
    dot.setAttribute("cx", x(mu[0]));
    dot.setAttribute("cy", y(mu[1]));
    trail.setAttribute("points", path.map((q) => `${x(q.mu[0])},${y(q.mu[1])}`).join(" "));
  }

  take(null);
  return { node, take, show };
}
