// What the model makes while it learns: reconstructions of fixed held-out images, and samples from the prior.

import { show } from "./feed.js";
import { bytes, make, paint } from "./page.js";

const COLUMNS = 8;

export function mount({ element }) {
  const node = element.querySelector(".live");
  const pairs = make("canvas", { width: 8 * 28, height: 2 * 28, title: "Above: held-out images. Below: their reconstructions." });
  const samples = make("canvas", { width: 8 * 28, height: 4 * 28, title: "Decoded draws from the prior." });
  node.append(
    make("figure", {}, make("figcaption", {}, "Held-out images, and their reconstructions below"), pairs),
    make("figure", {}, make("figcaption", {}, "Samples from the prior"), samples),
  );
  let shown; // undefined, so that the first look counts as news
  show(node, ({ pictures }) => {
    if (pictures === shown) return;
    shown = pictures;
    node.dataset.version = pictures?.version ?? "";
    node.classList.toggle("live-waiting", !pictures);
    if (!pictures) return;
    const both = [...bytes(pictures.x), ...bytes(pictures.x_hat)];
    paint(pairs, both, COLUMNS, 2);
    paint(samples, bytes(pictures.samples), COLUMNS, 4);
  });
}
