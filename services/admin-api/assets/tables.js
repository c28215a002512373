/** The rows of the tables. Text always goes in as text. */

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** @param {number} value @returns {string} */
export function number(value) {
  return typeof value === "number" ? value.toLocaleString("en-GB") : "–";
}

/** @param {{name: string, messages: number, bytes: number, first_seq: number, last_seq: number, oldest_at: string | null, retention_seconds: number | null}} stream */
export function streamRow(stream) {
  const sequences = `${number(stream.first_seq)} to ${number(stream.last_seq)}`;
  return row(
    heading(stream.name), cell(number(stream.messages), "number"), cell(bytes(stream.bytes), "number"),
    cell(stream.messages ? sequences : "–"), cell(time(stream.oldest_at)), cell(duration(stream.retention_seconds)),
  );
}

/** @param {{stream: string, name: string, pending: number, ack_pending: number, redelivered: number}} consumer */
export function consumerRow(consumer) {
  const redelivered = consumer.redelivered > 0 ? "number strong" : "number";
  return row(
    heading(consumer.name), cell(consumer.stream), cell(number(consumer.pending), "number"),
    cell(number(consumer.ack_pending), "number"), cell(number(consumer.redelivered), redelivered),
  );
}

/**
 * Shows rows, or says that there are none.
 *
 * @param {HTMLElement} body the table's body
 * @param {HTMLElement[]} rows
 */
export function showRows(body, rows) {
  if (rows.length) return body.replaceChildren(...labelled(body, rows));
  const empty = cell("Nothing here.", "none");
  empty.colSpan = body.closest("table").querySelectorAll("thead th").length;
  body.replaceChildren(row(empty));
}

/**
 * Notes at each cell what its column is called: on a phone a row becomes a list of these.
 *
 * @param {HTMLElement} body the table's body
 * @param {HTMLElement[]} rows
 */
export function labelled(body, rows) {
  const names = [...body.closest("table").querySelectorAll("thead th")].map(({ textContent }) => textContent);
  for (const { cells } of rows) [...cells].forEach((one, index) => { one.dataset.label = names[index] ?? ""; });
  return rows;
}

/** A row of cells. @param {...HTMLElement} cells */
export function row(...cells) {
  const element = document.createElement("tr");
  element.append(...cells);
  return element;
}

/** A cell. @param {string} text */
export function cell(text, className = "") {
  const element = document.createElement("td");
  element.className = className;
  element.textContent = text ?? "–";
  return element;
}

/** The cell that says what a row is about. @param {string} text */
export function heading(text) {
  const element = document.createElement("th");
  element.scope = "row";
  element.textContent = text;
  return element;
}

/** @param {string | null} value a time of RFC 3339 @returns {string} */
export function time(value) {
  if (!value) return "–";
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? value : date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

function bytes(value) {
  if (typeof value !== "number") return "–";
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${(value / 1000 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

/** @param {string} value a time of RFC 3339 @returns {string} its day */
export function day(value) {
  return new Date(value).toLocaleDateString("en-GB", { dateStyle: "medium" });
}

/** @param {number | null} value @returns {string} a length of time, in the unit that is read at a glance */
export function milliseconds(value) {
  if (value === null) return "–";
  if (value < 1000) return `${number(value)} ms`;
  return value < 120_000 ? `${(value / 1000).toFixed(1)} s` : `${number(Math.round(value / 60_000))} min`;
}

/** @param {number | null | undefined} seconds @returns {string} */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "for ever";
  const days = seconds / 86_400;
  return days >= 1 ? `${number(Math.round(days))} days` : `${number(seconds)} s`;
}
