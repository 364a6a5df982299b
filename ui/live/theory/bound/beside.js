// What stands beside the plane: the image in hand, what q's middle decodes to, and what the colours are.

import { picture } from "../../shared/model.js";
import { make, paint } from "../../shared/page.js";
import { strip } from "../parts/strip.js";
import { prose } from "../prose.js";

/** @import { Q } from "../../shared/types.js" */
/** @import { Frame } from "../frame.js" */

/**
 * The column: `node`; `of` shows what a q's middle decodes to, `over` what a point of the plane does.
 *
 * @param {Frame} frame
 * @param {[string, string][]} legend the class of each colour, and its meaning
 */
export function beside(frame, legend) {
  const canvas = make("canvas");
  const caption = make("figcaption");
  const mean = make("figure", { className: "live-mean" }, caption, canvas);
  /** @type {Uint8Array | null} */
  let ofQ = null;
  const show = (/** @type {Uint8Array | null} */ grey, /** @type {string} */ says) => {
    caption.textContent = says;
    if (grey) paint(canvas, grey);
    mean.hidden = !grey;
  };
  const middle = () => show(ofQ, "mean of p(x|z)");
  middle();
  const rows = legend.map(([className, text]) => make("li", { className }, prose("span", text)));
  const node = make("div", { className: "live-beside" }, strip(frame), mean, make("ul", {}, ...rows));
  return {
    node,
    /** @param {Q} q */
    of({ mu }) {
      ofQ = picture(Float32Array.from(mu))?.slice() ?? null;
      middle();
    },
    /** @param {Uint8Array | null} grey */
    over(grey) {
      if (grey) show(grey, "p(x|z) of this z");
      else middle();
    },
  };
}
