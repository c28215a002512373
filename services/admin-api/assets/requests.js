/** Erasure requests that are not done, the most urgent first. */

import { call } from "./api.js";
import { ask, reason } from "./decision.js";
import { button, byId, make, say } from "./page.js";
import { cell, day, number, row, showRows, time } from "./tables.js";

/** From here on a request is shown as urgent, in percent of its time. */
const URGENT = 80;

/** Shows the requests. */
export async function show() {
  const { items } = await call("GET", "/api/v1/admin/gdpr/requests");
  showRows(byId("requests"), items.map(requestRow));
}

function requestRow(request) {
  const decisions = make("td", "decide", button("Take up …", () => decide(request, "retry")));
  if (!request.extension_reason) decisions.append(button("Extend …", () => decide(request, "extension")));
  return row(
    cell(day(request.due_at)), cell(`${number(request.percent_used)} %`, request.percent_used >= URGENT ? "strong" : ""),
    cell(request.state), cell(time(request.requested_at)), cell(request.waiting_for.join(", ") || "–", "prose"),
    cell(request.found_in.join(", ") || "–", "prose"), decisions,
  );
}

const QUESTIONS = {
  retry: { title: "Take this request up now?", text: "It is worked on at once, instead of at its next turn.", yes: "Take it up" },
  extension: { title: "Give this request two more months?", text: "This can be done once. The requester is told the reason.", yes: "Extend" },
};

function decide(request, what) {
  ask(QUESTIONS[what], async (data) => {
    await call("POST", `/api/v1/admin/gdpr/requests/${request.id}/${what}`, { reason: reason(data) });
    say(what === "retry" ? "The request is taken up." : "The request has two more months.");
    await show();
  });
}
