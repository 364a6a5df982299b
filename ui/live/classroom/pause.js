// A class that is paused: the page dims, and nothing on it can be touched until the lecturer lets all go on.

import { make } from "../shared/page.js";
import { onNews, room } from "./news.js";

const SENTENCE = "The lecturer has paused everybody. Trainings wait as well, and go on exactly where they are.";

/** The sheet over the page. */
export function sheet() {
  const node = make("dialog", { className: "live-dialog live-class-paused", ariaLabel: "Paused" });
  node.append(make("h2", { textContent: "Eyes up" }), make("p", { textContent: SENTENCE }));
  node.addEventListener("cancel", (event) => event.preventDefault()); // Escape ends no pause
  onNews(() => {
    const isPaused = room.is_paused && !room.is_lecturer;
    if (isPaused && !node.open) node.showModal();
    if (!isPaused && node.open) node.close();
  });
  return node;
}
