// Fields in which a number is typed: with a point or a comma, and stepped by the arrow keys. They are text to the
// browser: its own number fields drop the comma, and take steps from the wheel.

/**
 * low, high: the bounds, if any; step: how far an arrow key goes, or null for numbers of any magnitude.
 *
 * @typedef {{ low?: number | null, high?: number | null, step: number | null }} Limits
 */

const DIGITS = 12; // of a stepped number: enough to lose what binary fractions add

/**
 * The number that was typed; NaN where it is none.
 *
 * @param {string} text
 */
export function read(text) {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  return plain ? Number(plain) : Number.NaN;
}

/**
 * The next multiple of the step above or below a number, within the bounds.
 *
 * @param {number} value
 * @param {1 | -1} way
 * @param {Limits} limits
 */
export function stepped(value, way, { low, high, step }) {
  const size = step ?? tenth(value, way);
  const places = value / size;
  const next = way > 0 ? Math.floor(places + 1e-6) + 1 : Math.ceil(places - 1e-6) - 1;
  return Math.min(high ?? Infinity, Math.max(low ?? -Infinity, Number((next * size).toPrecision(DIGITS))));
}

/**
 * A tenth of the unit of a number's leading digit; from a power of ten downwards, that of the digit it goes to.
 *
 * @param {number} value
 * @param {1 | -1} way
 */
const tenth = (value, way) => 10 ** (Math.floor(Math.log10(value) + (way < 0 ? -1e-6 : 1e-6)) - 1);

/**
 * Makes an input such a field. What is in it counts once Enter is pressed, or it is left after typing.
 *
 * @param {HTMLInputElement} input
 * @param {Limits} limits
 * @param {{ apply?: () => void, goesBack?: () => boolean }} events apply: what is in it counts now; goesBack: whether a
 *   step that was not confirmed is taken back when the field is left
 */
export function numberField(input, limits, { apply = () => {}, goesBack = () => true } = {}) {
  let typed = false; // since it last counted
  /** @type {string | null} */
  let before = null; // before the first step since then
  let stepping = false;
  const put = (/** @type {string} */ text) => {
    stepping = true;
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    stepping = false;
  };
  const settle = () => {
    typed = false;
    before = null;
  };
  input.inputMode = (limits.low ?? -1) < 0 ? "text" : "decimal"; // the keys of a telephone may have no minus
  input.autocomplete = "off";
  input.addEventListener("input", () => {
    typed ||= !stepping;
  });
  input.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === "Enter") {
      apply();
      settle();
    }
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const value = read(input.value);
    if (Number.isNaN(value)) return;
    before ??= input.value;
    put(String(stepped(value, /** @type {1 | -1} */ (way), limits)));
  });
  const leave = (/** @type {FocusEvent} */ event) => {
    const elsewhere = document.activeElement === input; // another window: it is not left
    if (!typed || elsewhere) event.stopImmediatePropagation(); // others who listen hear of it only if it counts
    if (elsewhere) return;
    if (typed) apply();
    else if (before !== null && goesBack()) put(before);
    settle();
  };
  input.addEventListener("blur", leave, true);
}
