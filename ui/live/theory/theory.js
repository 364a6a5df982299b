// The Theory tab: the derivation of the objective, a card for each of its ideas.

import { onKept } from "../draw/kept.js";
import { inSight, show } from "../shared/feed.js";
import { useModel } from "../shared/model.js";
import { rootOf } from "../shared/page.js";
import { Deck } from "./deck.js";
import "./probability/model.js"; // comes with the tab: its card is seen first

/** @import { Place } from "./deck.js" */

/**
 * The tab.
 *
 * @param {Place} component
 */
export function mount(component) {
  const { element, props, server, watch } = component;
  const deck = new Deck(component);
  rootOf(element).append(deck.node);
  const wake = () => {
    const { model } = props.value;
    if (model && inSight(element)) useModel(model, server);
    deck.look();
  };
  watch("value", () => requestAnimationFrame(wake));
  onKept(wake);
  show(element, wake);
  deck.begin();
}
