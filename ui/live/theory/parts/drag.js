// Dragging by mouse or finger.

/**
 * Has a node dragged; a finger on it moves it and never the page, whatever touch-action its ancestors have.
 *
 * @param {SVGElement} node
 * @param {(event: PointerEvent) => void} to called at each move while it is held
 */
export function dragged(node, to) {
  let isHeld = false;
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    isHeld = true;
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (isHeld) to(event);
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
    node.addEventListener(name, () => {
      isHeld = false;
    });
}
