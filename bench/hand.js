// What bench/hand.py does and notes in the page: `hand` is what it calls.

const painted = (then) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = then;
  requestAnimationFrame(() => port2.postMessage(0)); // a message is taken after the frame is painted
};

window.hand = {
  /** One move of the first slider, at a random moment between two frames: ms until its picture is painted. */
  slide: (value) =>
    new Promise((resolve) =>
      setTimeout(
        () => {
          const range = document.querySelector(".live-list input[type=range]");
          const began = performance.now();
          range.value = value;
          range.dispatchEvent(new Event("input"));
          painted(() => resolve(performance.now() - began));
        },
        20 + 17 * Math.random(),
      ),
    ),

  /** A drag of the first slider, faster than the screen, that ends at `last`. */
  drag(last) {
    const range = document.querySelector(".live-list input[type=range]");
    for (const value of [...Array.from({ length: 30 }, (_, i) => i / 10 - 1.5), last]) {
      range.value = value;
      range.dispatchEvent(new Event("input"));
    }
  },

  /** The point and the picture that are on the screen once it has been painted. */
  async shown() {
    const { point } = await import(`${location.origin}/live/space/point.js`);
    const canvas = document.querySelector(".live-decoded");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return [[...point.z], Array.from({ length: 784 }, (_, i) => data[4 * i])];
  },

  /** Notes from now on when a drawing is sent, and how long it takes until what came back is painted. */
  noteStrokes() {
    window.sent = [];
    window.taken = [];
    const { fetch } = window;
    window.fetch = (...all) => {
      if (typeof all[1]?.body === "string" && all[1].body.includes('"look"')) window.sent.push(performance.now());
      return fetch(...all);
    };
    const { putImageData } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.putImageData = function (...all) {
      if (this.canvas.matches(".live-reconstruction") && window.sent.length > window.taken.length) {
        const began = window.sent[window.taken.length];
        const n = window.taken.push(0) - 1;
        painted(() => {
          window.taken[n] = performance.now() - began;
        });
      }
      return putImageData.apply(this, all);
    };
  },

  /** Counts the frames from now on. */
  countFrames() {
    window.painted = 0;
    const count = () => {
      window.painted += 1;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  },

  /** Pixels of a model at those points, each as base64 of float32. */
  async decode([model, points]) {
    const { readDecoder } = await import(`${location.origin}/live/shared/decoder.js`);
    const { addressOf, base64 } = await import(`${location.origin}/live/shared/page.js`);
    const decoder = readDecoder(await (await fetch(addressOf(`live/models/${model}/decoder`))).arrayBuffer());
    return points.map((z) => base64(new Uint8Array(Float32Array.from(decoder.decode(Float32Array.from(z))).buffer)));
  },
};
