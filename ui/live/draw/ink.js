// The surface that is drawn on: strokes of mouse, touch, pen and keyboard, an eraser, parts to hide, and undo.

import { throttled } from "../shared/ask.js";
import { paintHidden } from "../shared/given.js";
import { base64, make, penOf, SIDE } from "../shared/page.js";
import { FAINTEST, PAD_SIDE } from "../shared/vocabulary.js";

/** @import { Drawing, Hole } from "../shared/types.js" */
/** @typedef {[number, number]} Spot in pixels */
/** @typedef {{ framed: boolean, exact: Drawing | null, hidden: Uint8Array, pixels: ImageData }} State */

const SIZE = 280; // pixels of its own canvas
const CELL = SIZE / SIDE;
const EVERY = 80; // ms between two calls of changed() during a stroke
const STEPS = 40; // that can be undone
const RIM = 2; // pixels that the eraser is wider than the pen, so that a stroke's soft edge goes with it
const NUDGE = 4; // pixels of an arrow key; with Shift four times that
const HELP =
  "Drawing pad. Arrow keys move the pen, with Shift faster; Space puts it down and lifts it; " +
  "Ctrl+Z undoes, Ctrl+Shift+Z does it again.";
/** @type {Record<string, Spot>} */
const TOWARD = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * A surface with its state. What is on it is either free, {ink}: the server brings it into MNIST's frame, or framed,
 * {image}: each of 28×28 cells is a pixel of the image itself. Only what is framed has parts to hide.
 */
export class Surface {
  /** @type {"draw" | "erase" | "hide"} */
  tool = "draw";
  width = 22; // of the stroke, in pixels of its own
  framed = false;
  /** @type {Uint8Array} */
  hidden = nothing(); // 1 where a cell is hidden
  /** @type {Drawing | null} */
  exact = null; // what was put on it, as long as nothing is drawn over it
  /** @type {State[]} */
  past = [];
  /** @type {State[]} */
  future = [];
  /** @type {{ x: number, y: number, down: boolean } | null} */
  cursor = null; // of the keyboard

  /**
   * @param {{ changed: (resting: boolean) => void, hid: () => void }} events changed(resting) is called while a stroke
   *   goes, of any tool, and, with true, when it rests; hid() when the hidden part is another
   */
  constructor({ changed, hid }) {
    this.changed = changed;
    this.hid = hid;
    this.canvas = make("canvas", { width: SIZE, height: SIZE, className: "live-ink", tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", HELP);
    this.over = make("canvas", { width: SIZE, height: SIZE, className: "live-over" });
    this.node = make("div", { className: "live-frame" }, this.canvas, this.over);
    this.pen = penOf(this.canvas, { willReadFrequently: true });
    Object.assign(this.pen, { lineCap: "round", lineJoin: "round", strokeStyle: "white" });
    this.soon = throttled(() => this.changed(false), EVERY);
    this.#pointers();
    this.#keys();
  }

  /**
   * What is drawn, as it is posted; null where there is nothing to be seen.
   *
   * @returns {Drawing | null}
   */
  drawing() {
    if (this.exact) return this.exact;
    const grey = shrunk(this.canvas, this.framed ? SIDE : PAD_SIDE);
    return grey.some((value) => value > 0) ? { [this.framed ? "image" : "ink"]: base64(grey) } : null;
  }

  /**
   * What is hidden of it, as it is posted.
   *
   * @returns {Hole}
   */
  hole() {
    return this.hidden.some((yes) => yes) ? { hidden: base64(this.hidden) } : {};
  }

  /**
   * Puts grey bytes on it: 28×28 as a framed image, 56×56 as a free drawing.
   *
   * @param {Uint8Array} grey
   */
  place(grey) {
    const side = Math.sqrt(grey.length);
    const small = make("canvas", { width: side, height: side });
    const image = new ImageData(side, side);
    grey.forEach((value, i) => {
      image.data.set([255, 255, 255, value], 4 * i); // grey is opacity
    });
    penOf(small).putImageData(image, 0, 0);
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
    this.changed(true);
  }

  /** Remembers what is there, to be undone to. */
  remember() {
    const state = this.#now();
    this.past.push(state);
    this.future = [];
    if (this.past.length > STEPS) this.past.shift();
    return state;
  }

  undo() {
    this.#swap(this.past, this.future);
  }

  redo() {
    this.#swap(this.future, this.past);
  }

  /**
   * Undoes the stroke that began with that state, unless something else was done since.
   *
   * @param {State} before
   */
  #takeBack(before) {
    if (this.past.at(-1) === before) this.undo();
  }

  /** @returns {State} */
  #now() {
    const { framed, exact, hidden } = this;
    return { framed, exact, hidden: hidden.slice(), pixels: this.pen.getImageData(0, 0, SIZE, SIZE) };
  }

  /**
   * Goes to the last of one list of states, and leaves the present one at the end of the other.
   *
   * @param {State[]} from
   * @param {State[]} to
   */
  #swap(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push(this.#now());
    this.pen.putImageData(state.pixels, 0, 0);
    Object.assign(this, { framed: state.framed, exact: state.exact });
    this.#hide(state.hidden);
    this.changed(true);
  }

  /** @param {Uint8Array} hidden */
  #hide(hidden) {
    this.hidden = hidden;
    this.#paintOver();
    this.hid();
  }

  /** The hidden cells and the keyboard's cursor. */
  #paintOver() {
    const pen = penOf(this.over);
    pen.clearRect(0, 0, SIZE, SIZE);
    paintHidden(this.over, this.hidden, CELL);
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

  /**
   * A piece of a stroke. Each is drawn once: a path that is stroked again and again loses its soft edge.
   *
   * @param {Spot} from
   * @param {Spot} to
   */
  #line(from, to, pressure = 1) {
    if (this.tool === "hide") return this.#hideAlong(from, to);
    this.exact = null;
    this.pen.globalCompositeOperation = this.tool === "erase" ? "destination-out" : "source-over";
    this.pen.lineWidth = this.width * pressure + (this.tool === "erase" ? RIM : 0);
    this.pen.beginPath();
    this.pen.moveTo(from[0], from[1]);
    this.pen.lineTo(to[0] + 0.01, to[1]); // a line of no length at all would leave no dot
    this.pen.stroke();
    this.pen.globalCompositeOperation = "source-over";
  }

  /**
   * @param {Spot} from
   * @param {Spot} to
   */
  #hideAlong(from, to) {
    const reach = Math.max(0.75 * CELL, this.width / 2);
    this.hidden.forEach((_, i) => {
      /** @type {Spot} */
      const cell = [((i % SIDE) + 0.5) * CELL, (Math.floor(i / SIDE) + 0.5) * CELL];
      if (distance(cell, from, to) <= reach) this.hidden[i] = 1;
    });
    this.#paintOver();
  }

  /**
   * While or after a stroke.
   *
   * @param {boolean} resting
   */
  #stroked(resting) {
    if (resting) {
      if (this.tool === "hide") this.hid();
      this.soon.cancel();
      this.changed(true);
    } else {
      this.soon();
    }
  }

  /**
   * Where a pointer is, in pixels of the surface.
   *
   * @param {PointerEvent} event
   * @returns {Spot}
   */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((clientX - left) * SIZE) / width, ((clientY - top) * SIZE) / height];
  }

  #pointers() {
    /** @type {{ id: number, type: string, before: State } | null} */
    let hand = null; // the pointer that draws, and what it found
    /** @type {Spot} */
    let from = [0, 0]; // where it was
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      if (hand && !(hand.type === "touch" && event.pointerType === "pen")) return; // a second finger draws nothing
      event.preventDefault();
      this.canvas.focus({ preventScroll: true });
      this.#lift();
      if (hand) this.#takeBack(hand.before); // it was the palm, which comes down before the pen
      this.canvas.setPointerCapture(event.pointerId);
      hand = { id: event.pointerId, type: event.pointerType, before: this.remember() };
      from = this.#at(event);
      this.#line(from, from, pressure(event));
      this.#stroked(false);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== hand?.id) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const part of events.length ? events : [event]) {
        this.#line(from, this.#at(part), pressure(part));
        from = this.#at(part);
      }
      this.#stroked(false);
    });
    this.canvas.addEventListener("pointercancel", (event) => {
      // The system says that it was a palm: the pen may come down only after that.
      if (event.pointerId === hand?.id && hand.type === "touch") this.#takeBack(hand.before);
    });
    this.canvas.addEventListener("lostpointercapture", (event) => {
      if (event.pointerId !== hand?.id) return;
      hand = null;
      this.#stroked(true);
    });
  }

  #keys() {
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.canvas.addEventListener("blur", () => this.#lift());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = TOWARD[event.key];
    if (!way && event.key !== " " && event.key !== "Escape") return;
    event.preventDefault();
    if (event.key === " " && event.repeat) return;
    this.cursor ??= { x: SIZE / 2, y: SIZE / 4, down: false };
    if (event.key === "Escape" || (event.key === " " && this.cursor.down)) {
      this.#lift(event.key === " ");
      return;
    }
    /** @type {Spot} */
    const from = [this.cursor.x, this.cursor.y];
    if (way) {
      const step = NUDGE * (event.shiftKey ? 4 : 1);
      this.cursor.x = Math.min(SIZE, Math.max(0, this.cursor.x + step * way[0]));
      this.cursor.y = Math.min(SIZE, Math.max(0, this.cursor.y + step * way[1]));
    } else {
      this.remember();
      this.cursor.down = true;
    }
    if (this.cursor.down) {
      this.#line(from, [this.cursor.x, this.cursor.y]);
      this.#stroked(false);
    }
    this.#paintOver();
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

/**
 * How wide a stroke is, as a multiple: a pen's by its pressure.
 *
 * @param {PointerEvent} event
 */
const pressure = (event) => (event.pointerType === "pen" && event.pressure > 0 ? 0.4 + 1.2 * event.pressure : 1);

/**
 * The ink as side×side bytes, without what nobody can see: an eraser may leave traces.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} side
 */
function shrunk(canvas, side) {
  const small = penOf(make("canvas", { width: side, height: side }));
  small.imageSmoothingQuality = "high";
  small.drawImage(canvas, 0, 0, side, side);
  const { data } = small.getImageData(0, 0, side, side);
  const inkAt = (/** @type {number} */ i) => data[4 * i + 3]; // opacity is ink
  return Uint8Array.from({ length: side * side }, (_, i) => (inkAt(i) < 255 * FAINTEST ? 0 : inkAt(i)));
}

/**
 * Of a point from a segment, in pixels.
 *
 * @param {Spot} point
 * @param {Spot} from
 * @param {Spot} to
 */
function distance([x, y], [x0, y0], [x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const t = length ? Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length)) : 0;
  return Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
}
