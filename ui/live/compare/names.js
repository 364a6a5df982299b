// What compared runs are called.

import { SETTINGS } from "../shared/vocabulary.js";

/** @import { Row, Setting } from "../shared/types.js" */

const LINE = 70; // letters in a line of the legend

/**
 * What each run is called beside the others: its own name, and the settings in which they differ.
 *
 * @param {Pick<Row, "name" | "title" | "created" | "settings">[]} rows
 */
export function named(rows) {
  const differ = differing(rows);
  const labels = rows
    .map(({ settings, name }) => [
      name,
      ...differ.filter((key) => key in settings).map((key) => called(key, settings[key])),
    ])
    .map((parts) => lines(parts.filter(Boolean)));
  return apart(
    labels.map((label, i) => label || rows[i].title || ""),
    rows,
  );
}

/**
 * The settings in which runs differ. One that has no effect in a run is not among those of that run.
 *
 * @param {Pick<Row, "settings">[]} rows
 */
export function differing(rows) {
  const keys = new Set(rows.flatMap(({ settings }) => Object.keys(settings)));
  return [...keys].filter((key) => new Set(rows.map(({ settings }) => JSON.stringify(settings[key]))).size > 1);
}

/**
 * Labels of runs; the same ones get the time at which each run began.
 *
 * @param {string[]} labels
 * @param {Pick<Row, "created">[]} rows
 */
export const apart = (labels, rows) =>
  labels.map((label, i) =>
    labels.indexOf(label) === labels.lastIndexOf(label) ? label : `${label} (${rows[i].created?.slice(11) ?? ""})`,
  );

/**
 * A setting's value as people call it.
 *
 * @param {string} key
 * @param {Setting | undefined} value
 */
export const shownValue = (key, value) => SETTINGS[key]?.choices[String(value)] ?? String(value ?? "–");

/**
 * Parts of a name one after the other, over as many lines as keep them in the chart.
 *
 * @param {string[]} parts
 */
function lines(parts) {
  /** @type {string[]} */
  const found = [];
  for (const part of parts) {
    const last = found.length - 1;
    if (found.length && found[last].length + part.length < LINE) found[last] += `, ${part}`;
    else found.push(part);
  }
  return found.join(",<br>");
}

/**
 * A setting with its value.
 *
 * @param {string} key
 * @param {Setting} value
 */
function called(key, value) {
  return `${SETTINGS[key]?.short ?? key} = ${shownValue(key, value)}`;
}
