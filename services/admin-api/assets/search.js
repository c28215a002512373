/** The events of the streams, the newest first, and a filter for them. */

import { call } from "./api.js";
import { onSubmit } from "./forms.js";
import { byId, make, showList, warn } from "./page.js";
import { cell, number, row, time } from "./tables.js";

/** Shows the events that the filter lets through. */
export async function show() {
  if (byId("events-stream").options.length === 1) await fillStreams();
  await showList("events", `/api/v1/admin/events?${filter()}`, eventRow);
}

/** Makes the filter work. */
export function prepare() {
  onSubmit(byId("events-form"), show, warn);
}

/** Dead letters are no events: they have a view of their own. */
async function fillStreams() {
  const { items } = await call("GET", "/api/v1/admin/streams");
  const names = items.map(({ name }) => name).filter((name) => name !== "DEAD");
  byId("events-stream").append(...names.map((name) => new Option(name, name)));
}

function filter() {
  const data = new FormData(byId("events-form"));
  const query = new URLSearchParams();
  for (const name of ["type", "stream"]) {
    const value = String(data.get(name)).trim();
    if (value) query.set(name, value);
  }
  for (const name of ["from", "to"]) {
    const value = data.get(name);
    if (value) query.set(name, new Date(value).toISOString());
  }
  return query;
}

function eventRow(event) {
  return row(
    cell(time(event.stored_at)), nameCell(event), cell(event.version ?? "–"), cell(event.stream),
    cell(number(event.sequence), "number"), cell(event.source ?? "–"), cell(event.key ? `${event.key} (masked)` : "–", "prose"),
  );
}

/** What can be read has an id, which leads to what became of it. */
function nameCell({ id, event }) {
  const inside = make("td", "code");
  if (!id) return cell(`${event}: cannot be read`, "code");
  const link = make("a", "", event);
  link.href = `#event/${id}`;
  link.title = id;
  inside.append(link);
  return inside;
}
