// The columns of the table of runs, and the order of its rows.

import { bytesOf, duration, minus } from "../shared/page.js";
import { ticked } from "./ticks.js";

/** @import { Row } from "../shared/types.js" */

/**
 * text: what a cell says; sort: what its column is sorted by; number: whether it is set as one.
 *
 * @typedef {string | number | null} Value
 * @typedef {{
 *   name: string, title: string, text?: (row: Row) => string, sort: (row: Row) => Value, number?: true,
 * }} Column
 */

/** @type {Column[]} */
export const COLUMNS = [
  { name: "ticked", title: "Compare", sort: (row) => (ticked.has(row.run) ? 0 : 1) },
  { name: "title", title: "Name", sort: (row) => row.title },
  { name: "state", title: "State", sort: (row) => row.state, text: state },
  { name: "note", title: "Note", sort: (row) => row.note || null },
  { name: "line", title: "Settings", sort: (row) => row.line, text: (row) => row.line ?? row.message },
  {
    name: "elbo",
    title: "−ELBO, held-out",
    number: true,
    sort: (row) => row.elbo,
    text: ({ elbo }) => (elbo === null ? "–" : minus(elbo.toFixed(2))),
  },
  {
    name: "active_units",
    title: "Used dimensions",
    number: true,
    sort: (row) => row.active_units,
    text: (row) => String(row.active_units ?? "–"),
  },
  {
    name: "seconds",
    title: "Time",
    number: true,
    sort: (row) => row.seconds,
    text: (row) => duration(row.seconds ?? 0),
  },
  { name: "size", title: "Size", number: true, sort: (row) => row.size, text: (row) => bytesOf(row.size ?? 0) },
  { name: "created", title: "Created", sort: (row) => row.created, text: (row) => row.created ?? "" },
];

/** @param {Row} row */
function state({ state: name, step, total_steps: total, pinned }) {
  const now = name === "running" && total ? `running, ${Math.floor((100 * (step ?? 0)) / total)} %` : name;
  return pinned ? `${now}, pinned` : now;
}

/**
 * Rows in the order of a column.
 *
 * @param {Row[]} rows
 * @param {string} name
 * @param {boolean} down
 */
export function sorted(rows, name, down) {
  const sort = COLUMNS.find((column) => column.name === name)?.sort ?? (() => null);
  return [...rows].sort((a, b) => compare(sort(a), sort(b), down));
}

/**
 * @param {Value} a
 * @param {Value} b
 * @param {boolean} down
 */
function compare(a, b, down) {
  if (a === null) return 1; // what is unknown comes last either way
  if (b === null) return -1;
  const sign = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return down ? -sign : sign;
}
