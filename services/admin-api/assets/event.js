/** Events: the newest of all, and of one who produced it and what became of it at each service. */

import { call, Problem } from "./api.js";
import { onSubmit } from "./forms.js";
import { byId, warn } from "./page.js";
import * as search from "./search.js";
import { cell, heading, number, row, showRows, time } from "./tables.js";

/** Shows the events, and what became of one if it is named: `#event/ID`. @param {string} [id] */
export async function show(id) {
  await search.show();
  if (id) await explain(id).catch(explainUnknown);
}

/** Makes the form work. */
export function prepare() {
  search.prepare();
  onSubmit(byId("event-form"), async (data) => {
    await explain(String(data.get("id")).trim()).catch(explainUnknown);
  }, warn);
}

async function explain(id) {
  byId("event-id").value = id;
  tell(await call("GET", `/api/v1/admin/events/${encodeURIComponent(id)}`));
}

function explainUnknown(error) {
  if (error instanceof Problem && error.status === 404) {
    const detail = "No service knows this event: it never was, its time is over, or somebody in it was erased.";
    error.errors = [{ pointer: "/id", detail }];
  }
  throw error;
}

function tell(event) {
  byId("explained-title").textContent = event.event ?? "Event";
  const sequence = event.sequence === null ? "waits to be published" : `is number ${number(event.sequence)} of its stream`;
  byId("explained-text").textContent = event.producer
    ? `Produced by ${event.producer}; it ${sequence}.`
    : "It is in no outbox any more.";
  showRows(byId("explained-rows"), event.services.map(handledRow));
  byId("explained").hidden = false;
  byId("explained").scrollIntoView({ block: "nearest" });
}

function handledRow(handled) {
  const state = handled.status === "FAILED" ? "strong" : "";
  return row(
    heading(handled.service), cell(handled.status ?? "not known", state), cell(time(handled.handled_at)),
    cell(handled.detail || "–", "prose"), cell(number(handled.attempts), "number"), cell(number(handled.behind), "number"),
  );
}
