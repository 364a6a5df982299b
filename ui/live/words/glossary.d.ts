/** What ui/glossary.py serves as glossary.js. */

/** The terms by name; tab, place (an element's id there) and fold (the id of what it is folded away in) may be empty. */
export const TERMS: Record<
  string,
  { title: string; sentence: string; formula: string; tab: string; place: string; fold: string; also: string[] }
>;
/** The addresses of KaTeX's script and style, relative to the page; empty where there is none. */
export const KATEX: { js: string; css: string };
