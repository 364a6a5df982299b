// Says that what is shown was recorded, where it was: until the first training of one's own.

import { feed, show } from "../shared/feed.js";
import { rootOf } from "../shared/page.js";

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
    node.textContent = feed.about?.is_recorded ? RECORDED : "";
  });
}
