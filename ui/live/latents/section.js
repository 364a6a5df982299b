// A titled part of the Latents tab.

import { make } from "../shared/page.js";

/**
 * @param {string | Node} title
 * @param {string} name
 * @param {HTMLElement} content
 */
export const section = (title, name, content) =>
  make("section", { className: "live-section", id: `latents-${name}` }, make("h3", {}, title), content);
