// Formulas, typeset by the KaTeX that Gradio brings for its own Markdown. It is loaded with the first formula.

import { addressOf, make } from "../shared/page.js";
import { KATEX } from "./glossary.js";

/**
 * What is used of KaTeX.
 *
 * @typedef {{ render: (formula: string, node: HTMLElement, options: object) => void }} Katex
 */

// \term{kl}{…} has the colour of that term, which stands in words.css.
const OPTIONS = {
  macros: { "\\term": "\\htmlClass{term-#1}{#2}" },
  trust: ({ command = "" }) => command === "\\htmlClass",
  strict: false,
};

/** @type {Promise<Katex> | null} */
let library = null;

/**
 * Typesets a formula in a node, where it may break at a relation if the line is too short. Without KaTeX the node shows
 * the formula as LaTeX.
 *
 * @param {HTMLElement} node
 * @param {string} formula LaTeX
 * @param {string} [style] of its fractions and sums
 */
export async function typeset(node, formula, style = "\\displaystyle") {
  node.textContent = formula.replace(/\\term\{\w+\}/g, "");
  if (!KATEX.js || !KATEX.css) return;
  library ??= load();
  const katex = await library;
  katex.render(`${style} ${formula}`, node, OPTIONS);
}

/** @returns {Promise<Katex>} */
async function load() {
  const [{ default: katex }] = await Promise.all([import(addressOf(KATEX.js).href), style(addressOf(KATEX.css).href)]);
  return katex;
}

/**
 * Adds a style to the page, and waits until it holds.
 *
 * @param {string} href
 */
function style(href) {
  return new Promise((resolve, reject) => {
    const onerror = () => reject(new Error("The style of formulas could not be loaded."));
    document.head.append(make("link", { rel: "stylesheet", href, onload: resolve, onerror }));
  });
}
