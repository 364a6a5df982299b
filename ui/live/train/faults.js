// Marks the fields of the form that cannot be used, each with a sentence below it.

import { newest } from "../shared/ask.js";
import { make } from "../shared/page.js";
import { shown } from "../words/see.js";

/** The marks of a form, one a field at fault. */
export class Faults {
  /** @type {Map<string, { field: HTMLElement, input: HTMLElement | null, note: HTMLElement }>} */
  #marks = new Map();
  #rounds = newest();
  #rest = make("div", { className: "live-fault", hidden: true }); // what is said of fields that a link has hidden

  /** @param {HTMLElement} form */
  constructor(form) {
    this.#rest.setAttribute("role", "alert");
    form.prepend(this.#rest);
  }

  /**
   * Marks these fields and no others, and goes to the first one.
   *
   * @param {Record<string, string>} faults a sentence by the name of a setting, in the order of the form
   */
  async show(faults) {
    const isNewest = this.#rounds();
    for (const name of [...this.#marks.keys()]) this.#clear(name);
    this.#rest.replaceChildren();
    this.#rest.hidden = true;
    for (const [name, sentence] of Object.entries(faults)) {
      const field = await shown(name);
      if (!isNewest()) return;
      if (field) this.#mark(name, field, sentence);
      else this.#rest.append(`${sentence} `);
      this.#rest.hidden &&= Boolean(field);
    }
    const [first] = this.#marks.values();
    first?.input?.focus();
  }

  /**
   * The mark of a field ends once something else is typed.
   *
   * @param {Element} target within the field
   */
  typed(target) {
    for (const [name, { field }] of [...this.#marks]) if (field.contains(target)) this.#clear(name);
  }

  /**
   * @param {string} name
   * @param {HTMLElement} field
   * @param {string} sentence
   */
  #mark(name, field, sentence) {
    const input = field.querySelector("input");
    const note = make("div", { className: "live-fault", id: `fault-${name}` }, sentence);
    field.append(note);
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", note.id);
    this.#marks.set(name, { field, input, note });
  }

  /** @param {string} name */
  #clear(name) {
    const mark = this.#marks.get(name);
    this.#marks.delete(name);
    mark?.note.remove();
    mark?.input?.removeAttribute("aria-invalid");
    mark?.input?.removeAttribute("aria-describedby");
  }
}
