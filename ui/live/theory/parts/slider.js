// A labelled slider with its value beside it.

import { make, minus } from "../../shared/page.js";
import { prose } from "../prose.js";

/**
 * label: with formulas between dollar signs; said: the same for a screen reader; low, high, step: the control stops at
 * its bounds; isLog: the slider goes by powers, for values above 0; digits: that are shown.
 *
 * @typedef {{
 *   label: string, said: string, low: number, high: number, value: number, step?: number, isLog?: boolean,
 *   digits?: number, onInput: (value: number) => void,
 * }} Options
 */

const STEPS = 400; // of a slider that goes by powers

/** A slider: `node`, `value`. */
export class Slider {
  /** @param {Options} options */
  constructor(options) {
    const { label, said, low, high, step = 0.01, isLog = false } = options;
    this.options = options;
    const [min, max] = isLog ? [Math.log(low), Math.log(high)] : [low, high];
    this.input = make("input", { type: "range", min, max, step: isLog ? (max - min) / STEPS : step, ariaLabel: said });
    this.output = make("output");
    this.input.oninput = () => {
      this.#write();
      options.onInput(this.value);
    };
    this.node = make("label", { className: "live-knob" }, prose("span", label), this.input, this.output);
    this.value = options.value;
  }

  get value() {
    const at = Number(this.input.value);
    return this.options.isLog ? Math.exp(at) : at;
  }

  /** Another value is shown, within the bounds; nobody is told. */
  set value(value) {
    this.input.value = String(this.options.isLog ? Math.log(value) : value);
    this.#write();
  }

  #write() {
    const text = minus(this.value.toFixed(this.options.digits ?? 2));
    this.output.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
  }
}
