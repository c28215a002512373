/** Dead letters: try them again, or give them up. What is in them is not shown. */

import { call } from "./api.js";
import { ask, reason } from "./decision.js";
import { button, make, say, showList } from "./page.js";
import { cell, number, row, time } from "./tables.js";

/** Shows the dead letters. */
export async function show() {
  await showList("dead", "/api/v1/admin/dead-letters", letterRow);
}

function letterRow(letter) {
  const decisions = make("td", "decide", button("Replay …", () => decide(letter, "replay")), button("Skip …", () => decide(letter, "skip")));
  const why = cell(letter.reason, "prose");
  why.title = letter.detail;
  return row(
    cell(time(letter.died_at)), cell(letter.origin_subject, "code"), cell(letter.consumer), why,
    cell(number(letter.attempts), "number"), cell(number(letter.behind), "number"), decisions,
  );
}

const QUESTIONS = {
  replay: { title: "Try this event once more?", text: "It is handled from its original bytes, and what waits behind it goes on if that works.", yes: "Replay" },
  skip: { title: "Give this event up?", text: "It never has its effect at this consumer; what waits behind it goes on.", yes: "Skip" },
};

function decide(letter, action) {
  ask(QUESTIONS[action], async (data) => {
    const body = { action, ids: [letter.id], reason: reason(data) };
    await call("POST", "/api/v1/admin/dead-letters/decisions", body);
    say(action === "replay" ? "The event is tried again." : "The event is given up.");
    await show();
  });
}
