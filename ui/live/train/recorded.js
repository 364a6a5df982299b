// Says that what is shown was recorded, or is another browser's, where it is: until the first training of one's own.

import { feed, show } from "../shared/feed.js";
import { rootOf } from "../shared/page.js";
import { origin } from "./fork.js";

/** @import { Component } from "../shared/types.js" */

export const RECORDED = "Recorded; press Train for your own.";

/**
 * The sentence, beside what is shown of the followed run.
 *
 * @param {Component} component
 */
export function mount({ element }) {
  const node = rootOf(element);
  show(element, () => {
    node.textContent = feed.about?.is_recorded ? RECORDED : origin();
  });
}
