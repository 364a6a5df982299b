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
  const differ = Object.keys(rows[0]?.settings ?? {}).filter(
    (key) => new Set(rows.map(({ settings }) => JSON.stringify(settings[key]))).size > 1,
  );
  const labels = rows
    .map(({ settings, name }) => [name, ...differ.map((key) => called(key, settings[key]))].filter(Boolean))
    .map(lines);
  return labels.map((label, i) =>
    label && labels.indexOf(label) === labels.lastIndexOf(label)
      ? label
      : `${label || rows[i].title} (${rows[i].created?.slice(11) ?? ""})`,
  );
}

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
  const setting = SETTINGS[key];
  return `${setting?.short ?? key} = ${setting?.choices[String(value)] ?? value}`;
}
