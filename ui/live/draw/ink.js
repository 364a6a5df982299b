// The surface that is drawn on: strokes of mouse, touch, pen and keyboard, an eraser, parts to hide, and undo.

import { base64, make, SIDE } from "../shared/page.js";
import { PAD_SIDE } from "../shared/vocabulary.js";

const SIZE = 280; // pixels of its own canvas
const CELL = SIZE / SIDE;
const EVERY = 80; // ms between two calls of changed() during a stroke
const STEPS = 40; // that can be undone
const NUDGE = 4; // pixels of an arrow key; with Shift four times that

/**
 * A surface with its state. `tool` is draw, erase or hide; `width` is the stroke's, in its own pixels.
 * changed(resting) is called while a stroke goes and, with true, when it rests; hid() when the hidden part is another.
 *
 * What is on it is either free, {ink}: the server brings it into MNIST's frame, or framed, {image}: each of 28×28
 * cells is a pixel of the image itself. Only what is framed has parts to hide.
 */
export class Surface {
  constructor({ changed, hid }) {
    Object.assign(this, {
      changed,
      hid,
      tool: "draw",
      width: 22,
      framed: false,
      exact: null,
      past: [],
      future: [],
      hidden: nothing(),
    });
    this.canvas = make("canvas", { width: SIZE, height: SIZE, className: "live-ink", tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute(
      "aria-label",
      "Drawing pad. Arrow keys move the pen, with Shift faster; Space puts it down and lifts it; Ctrl+Z undoes, Ctrl+Shift+Z does it again.",
    );
    this.over = make("canvas", { width: SIZE, height: SIZE, className: "live-over" });
    this.node = make("div", { className: "live-frame" }, this.canvas, this.over);
    this.pen = this.canvas.getContext("2d", { willReadFrequently: true });
    Object.assign(this.pen, { lineCap: "round", lineJoin: "round", strokeStyle: "white" });
    this.cursor = null; // of the keyboard: {x, y, down}
    this.soon = throttled(() => this.changed(false));
    this.#pointers();
    this.#keys();
  }

  /** What is drawn, as it is posted: {ink}, {image}, or null where there is nothing. */
  drawing() {
    if (this.exact) return this.exact;
    const grey = shrunk(this.canvas, this.framed ? SIDE : PAD_SIDE);
    return grey.some((value) => value > 0) ? { [this.framed ? "image" : "ink"]: base64(grey) } : null;
  }

  /** Puts grey bytes on it: 28×28 as a framed image, 56×56 as a free drawing. */
  place(grey) {
    const side = Math.sqrt(grey.length);
    const small = new OffscreenCanvas(side, side);
    const image = new ImageData(side, side);
    grey.forEach((value, i) => image.data.set([255, 255, 255, value], 4 * i)); // grey is opacity
    small.getContext("2d").putImageData(image, 0, 0);
    this.framed = side === SIDE;
    this.exact = { [this.framed ? "image" : "ink"]: base64(grey) };
    this.pen.clearRect(0, 0, SIZE, SIZE);
    this.pen.imageSmoothingEnabled = !this.framed;
    this.pen.drawImage(small, 0, 0, SIZE, SIZE);
    this.#hide(nothing());
  }

  clear() {
    Object.assign(this, { framed: false, exact: null });
    this.pen.clearRect(0, 0, SIZE, SIZE);
    this.#hide(nothing());
  }

  /** Shows all that is hidden again. */
  unhide() {
    this.#hide(nothing());
  }

  /** Remembers what is there, to be undone to. */
  remember() {
    this.past.push(this.#now());
    this.future = [];
    if (this.past.length > STEPS) this.past.shift();
  }

  undo() {
    this.#swap(this.past, this.future);
  }

  redo() {
    this.#swap(this.future, this.past);
  }

  #now() {
    const { framed, exact, hidden } = this;
    return { framed, exact, hidden: hidden.slice(), pixels: this.pen.getImageData(0, 0, SIZE, SIZE) };
  }

  /** Goes to the last of one list of states, and leaves the present one at the end of the other. */
  #swap(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push(this.#now());
    this.pen.putImageData(state.pixels, 0, 0);
    Object.assign(this, { framed: state.framed, exact: state.exact });
    this.#hide(state.hidden);
    this.changed(true);
  }

  #hide(hidden) {
    this.hidden = hidden;
    this.#paintOver();
    this.hid();
  }

  /** The hidden cells and the keyboard's cursor. */
  #paintOver() {
    const pen = this.over.getContext("2d");
    pen.clearRect(0, 0, SIZE, SIZE);
    pen.fillStyle = "#e8710a";
    this.hidden.forEach((yes, i) => yes && pen.fillRect((i % SIDE) * CELL, Math.floor(i / SIDE) * CELL, CELL, CELL));
    if (!this.cursor) return;
    const { x, y, down } = this.cursor;
    Object.assign(pen, { lineWidth: 2, strokeStyle: down ? "#e8710a" : "#4a9eff" });
    pen.beginPath();
    pen.arc(x, y, Math.max(4, this.width / 2), 0, 7);
    pen.moveTo(x - 4, y);
    pen.lineTo(x + 4, y);
    pen.moveTo(x, y - 4);
    pen.lineTo(x, y + 4);
    pen.stroke();
  }

  /** A piece of a stroke. Each is drawn once: a path that is stroked again and again loses its soft edge. */
  #line(from, to, pressure = 1) {
    if (this.tool === "hide") return this.#hideAlong(from, to);
    this.exact = null;
    this.pen.globalCompositeOperation = this.tool === "erase" ? "destination-out" : "source-over";
    this.pen.lineWidth = this.width * pressure;
    this.pen.beginPath();
    this.pen.moveTo(from[0], from[1]);
    this.pen.lineTo(to[0] + 0.01, to[1]); // a line of no length at all would leave no dot
    this.pen.stroke();
    this.pen.globalCompositeOperation = "source-over";
  }

  #hideAlong(from, to) {
    const reach = Math.max(0.75 * CELL, this.width / 2);
    this.hidden.forEach((yes, i) => {
      const cell = [((i % SIDE) + 0.5) * CELL, (Math.floor(i / SIDE) + 0.5) * CELL];
      if (distance(cell, from, to) <= reach) this.hidden[i] = 1;
    });
    this.#paintOver();
  }

  /** While or after a stroke. */
  #stroked(resting) {
    if (this.tool === "hide") return void (resting && this.hid());
    if (resting) this.soon.cancel();
    if (resting) this.changed(true);
    else this.soon();
  }

  #pointers() {
    let [pointer, from] = [null, null]; // the one that draws, and where it was
    const at = ({ clientX, clientY }) => {
      const { left, top, width, height } = this.canvas.getBoundingClientRect();
      return [((clientX - left) * SIZE) / width, ((clientY - top) * SIZE) / height];
    };
    const pressure = (event) => (event.pointerType === "pen" && event.pressure > 0 ? 0.4 + 1.2 * event.pressure : 1);
    const on = (name, handler) => this.canvas.addEventListener(name, handler);
    on("pointerdown", (event) => {
      if (event.button !== 0 || pointer !== null) return; // a second finger draws nothing
      event.preventDefault();
      this.canvas.focus({ preventScroll: true });
      this.#lift();
      this.canvas.setPointerCapture(event.pointerId);
      this.remember();
      [pointer, from] = [event.pointerId, at(event)];
      this.#line(from, from, pressure(event));
      this.#stroked(false);
    });
    on("pointermove", (event) => {
      if (event.pointerId !== pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const part of events.length ? events : [event]) {
        this.#line(from, at(part), pressure(part));
        from = at(part);
      }
      this.#stroked(false);
    });
    on("lostpointercapture", (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      this.#stroked(true);
    });
  }

  #keys() {
    const toward = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const way = toward[event.key];
      if (!way && event.key !== " " && event.key !== "Escape") return;
      event.preventDefault();
      if (event.key === " " && event.repeat) return;
      this.cursor ??= { x: SIZE / 2, y: SIZE / 4, down: false };
      if (event.key === "Escape" || (event.key === " " && this.cursor.down)) return this.#lift(event.key === " ");
      const from = [this.cursor.x, this.cursor.y];
      if (event.key === " ") {
        this.remember();
        this.cursor.down = true;
      } else {
        const step = NUDGE * (event.shiftKey ? 4 : 1);
        this.cursor.x = Math.min(SIZE, Math.max(0, this.cursor.x + step * way[0]));
        this.cursor.y = Math.min(SIZE, Math.max(0, this.cursor.y + step * way[1]));
      }
      if (this.cursor.down) {
        this.#line(from, [this.cursor.x, this.cursor.y]);
        this.#stroked(false);
      }
      this.#paintOver();
    });
    this.canvas.addEventListener("blur", () => this.#lift());
  }

  /** The keyboard's pen goes up; its cursor stays only where it goes on. */
  #lift(goesOn = false) {
    const wasDown = this.cursor?.down;
    if (this.cursor) this.cursor.down = false;
    if (!goesOn) this.cursor = null;
    this.#paintOver();
    if (wasDown) this.#stroked(true);
  }
}

const nothing = () => new Uint8Array(SIDE * SIDE);

/** The ink as side×side bytes. */
function shrunk(canvas, side) {
  const small = new OffscreenCanvas(side, side).getContext("2d");
  small.imageSmoothingQuality = "high";
  small.drawImage(canvas, 0, 0, side, side);
  const { data } = small.getImageData(0, 0, side, side);
  return Uint8Array.from({ length: side * side }, (_, i) => data[4 * i + 3]); // opacity is ink
}

/** Of a point from a segment, in pixels. */
function distance([x, y], [x0, y0], [x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const t = length ? Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length)) : 0;
  return Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
}

/** Calls act at once and then at most every EVERY ms, and once more after the last call. */
function throttled(act) {
  let last = 0;
  let timer = null;
  const run = () => {
    timer = null;
    last = performance.now();
    act();
  };
  const soon = () => {
    timer ??= setTimeout(run, Math.max(0, EVERY - (performance.now() - last)));
  };
  soon.cancel = () => {
    clearTimeout(timer);
    timer = null;
  };
  return soon;
}
