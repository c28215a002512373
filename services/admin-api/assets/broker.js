/** Streams, their consumers, and what became of the events. */

import { call } from "./api.js";
import { byId } from "./page.js";
import { cell, consumerRow, duration, heading, milliseconds, number, row, showRows, streamRow } from "./tables.js";

/** @param {{streams: any[], consumers: any[], latencies: any[]}} overview */
export function showOverview({ streams, consumers, latencies }) {
  showRows(byId("latencies"), latencies.map(latencyRow));
  showRows(byId("streams"), streams.map(streamRow));
  showRows(byId("consumers"), consumers.map(consumerRow));
}

/** Shows what became of the events, service by service. */
export async function show() {
  const { items } = await call("GET", "/api/v1/admin/deliveries");
  showRows(byId("deliveries"), items.flatMap(serviceRows));
}

function latencyRow(one) {
  return row(
    heading(one.consumer), cell(milliseconds(one.p50_ms), "number"), cell(milliseconds(one.p99_ms), "number"),
    cell(number(one.events), "number"),
  );
}

function serviceRows(service) {
  if (!service.answers) return [row(heading(service.service), cell("does not answer", "strong"))];
  return service.streams.map((counts) => row(
    heading(service.service), cell(counts.stream), cell(number(counts.completed), "number"),
    cell(number(counts.unprocessed), "number"), cell(number(counts.in_progress), "number"),
    cell(number(counts.error + counts.retry), "number"), cell(number(counts.failed), counts.failed ? "number strong" : "number"),
    cell(counts.oldest_seconds === null ? "–" : duration(counts.oldest_seconds)),
  ));
}
