/** What ui/theory/deck.py serves as cards.js; ui/theory/card.py says what each field is. */

export interface Question {
  text: string;
  choices: string[];
  right: number;
  because: string;
  act: string;
}
export interface Line {
  number: string;
  formula: string;
  says: string;
  value: string;
}
/** A line of the source. */
export interface Source {
  file: string;
  line: number;
  text: string;
}
export interface Way {
  lesson: string;
  title: string;
  against: string;
  question: Question;
}
export interface Card {
  name: string;
  short: string;
  claim: string;
  text: string;
  rows: string[];
  formula: string;
  question: Question | null;
  lead: { tab: string; place: string } | null;
  code: Record<string, Source>;
  lines: Line[];
  example: string;
  needs: "" | "plane";
  ways: Way[];
  /** Of its picture, below theory/. */
  module: string;
}
/** In their order. */
export const CARDS: Card[];
/** The names of the cards of the short way. */
export const SHORT_WAY: string[];
/** The model that a card offers which needs two dimensions. */
export const PLANE_MODEL: string;
