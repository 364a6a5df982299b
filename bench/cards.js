// What bench/cards.py notes in the page while a handle of a card of Theory is dragged: `drag` is what it calls.

window.drag = {
  /**
   * From now on: how long each move takes until its numbers or pictures are painted, and how many frames there are. A
   * slider moves with its input events: between two of its steps there is nothing to answer.
   */
  note(card, isSlider) {
    const taken = [];
    let frames = 0;
    let moved = 0; // when the oldest move was that has no answer yet; 0 if all have one
    const move = (event) => {
      moved ||= event.timeStamp;
    };
    const answer = () => {
      const since = moved;
      if (!since) return;
      moved = 0;
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => taken.push(performance.now() - since);
      requestAnimationFrame(() => port2.postMessage(0)); // a message is taken after the frame is painted
    };
    const observer = new MutationObserver(answer); // texts: the handle's own place is an attribute
    observer.observe(card, { subtree: true, childList: true, characterData: true });
    const { putImageData } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.putImageData = function (...all) {
      answer();
      return putImageData.apply(this, all);
    };
    const name = isSlider ? "input" : "pointermove";
    addEventListener(name, move, { capture: true });
    let isOver = false;
    const began = performance.now();
    const count = () => {
      frames += 1;
      if (!isOver) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    window.drag.end = () => {
      isOver = true;
      observer.disconnect();
      removeEventListener(name, move, { capture: true });
      CanvasRenderingContext2D.prototype.putImageData = putImageData;
      return { taken, rate: (1000 * frames) / (performance.now() - began) };
    };
  },
};
