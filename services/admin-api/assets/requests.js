/** Requests to be erased and to be given one's data: what is open, the most urgent first, and what is done. */

import { call } from "./api.js";
import { ask, reason } from "./decision.js";
import { button, byId, make, saveFile, say } from "./page.js";
import { cell, day, number, row, showRows, time } from "./tables.js";

/** From here on a request is shown as urgent, in percent of its time. */
const URGENT = 80;

/** Shows the requests. */
export async function show() {
  const names = ["requests", "receipts", "exports"];
  const lists = await Promise.all(names.map((name) => call("GET", `/api/v1/admin/gdpr/${name}`)));
  const rows = [requestRow, receiptRow, exportRow];
  names.forEach((name, index) => showRows(byId(name), lists[index].items.map(rows[index])));
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

function receiptRow(done) {
  const isLate = done.finished_at > done.due_at;
  return row(
    cell(time(done.finished_at)), cell(time(done.requested_at)), cell(day(done.due_at), isLate ? "strong" : ""),
    cell(done.backups_end_at ? time(done.backups_end_at) : "no backup"), make("td", "decide", button("Receipt …", () => take(done))),
  );
}

function exportRow(request) {
  const isLate = ["planned", "exporting"].includes(request.state) && Date.parse(request.due_at) < Date.now();
  return row(
    cell(time(request.requested_at)), cell(request.state), cell(day(request.due_at), isLate ? "strong" : ""),
    cell(time(request.expires_at)),
  );
}

const QUESTIONS = {
  retry: { title: "Take this request up now?", text: "It is worked on at once, instead of at its next turn.", yes: "Take it up" },
  extension: { title: "Give this request two more months?", text: "This can be done once. The requester is told the reason.", yes: "Extend" },
  receipt: { title: "Save this receipt?", text: "It names nobody; whoever asked for the erasure can show that it was theirs.", yes: "Save it" },
};

function decide(request, what) {
  ask(QUESTIONS[what], async (data) => {
    await call("POST", `/api/v1/admin/gdpr/requests/${request.id}/${what}`, { reason: reason(data) });
    say(what === "retry" ? "The request is taken up." : "The request has two more months.");
    await show();
  });
}

function take(done) {
  ask(QUESTIONS.receipt, async (data) => {
    const receipt = await call("POST", `/api/v1/admin/gdpr/receipts/${done.id}`, { reason: reason(data) });
    saveFile("dipper-receipt.json", "application/json", JSON.stringify(receipt, null, 2));
    say("The receipt is saved.");
  });
}
