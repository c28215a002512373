/** Dead letters: see what is in them, try them again, or give them up. */

import { call } from "./api.js";
import { ask, reason } from "./decision.js";
import { button, byId, facts, make, say, showList } from "./page.js";
import { cell, number, row, time } from "./tables.js";

/** The letter in the dialog. @type {any} */
let inspected = null;

/** Shows the dead letters. */
export async function show() {
  await showList("dead", "/api/v1/admin/dead-letters", letterRow);
}

/** Makes the dialog work. */
export function prepare() {
  byId("letter-close").addEventListener("click", () => byId("letter").close());
  byId("letter").addEventListener("close", forget);
  byId("letter-unmask").addEventListener("click", unmask);
}

/** Takes everything from the page. */
export function empty() {
  byId("letter").close();
  forget();
}

/** What was in a letter does not stay on the page. */
function forget() {
  inspected = null;
  byId("letter-facts").replaceChildren();
  byId("letter-body").textContent = "";
}

function letterRow(letter) {
  const decisions = make("td", "decide", button("Inspect", () => inspect(letter)), button("Replay …", () => decide(letter, "replay")), button("Skip …", () => decide(letter, "skip")));
  const why = cell(letter.reason, "prose");
  why.title = letter.detail;
  return row(
    cell(time(letter.died_at)), cell(letter.origin_subject, "code"), cell(letter.consumer), why,
    cell(number(letter.attempts), "number"), cell(number(letter.behind), "number"), decisions,
  );
}

function address(letter) {
  return `/api/v1/admin/dead-letters/${encodeURIComponent(letter.id)}`;
}

async function inspect(letter) {
  try {
    tell(await call("GET", address(letter)));
  } catch (error) {
    say(error.message);
    return;
  }
  byId("letter").showModal();
}

function tell(letter) {
  inspected = letter;
  byId("letter-title").textContent = letter.origin_subject;
  byId("letter-facts").replaceChildren(...facts([
    ["Given up by", letter.consumer],
    ["Place", `${letter.origin_stream}, number ${number(letter.origin_sequence)}`],
    ["Size", `${number(letter.bytes)} bytes`],
    ["Why", letter.detail ? `${letter.reason}: ${letter.detail}` : letter.reason],
  ]));
  byId("letter-text").textContent = letter.unreadable ?? (letter.is_masked
    ? "Personal fields are masked, and so is what the catalogue does not know."
    : "All fields are shown; that you looked is in the audit log.");
  byId("letter-body").hidden = letter.body === null;
  byId("letter-body").textContent = letter.body === null ? "" : JSON.stringify(letter.body, null, 2);
  byId("letter-unmask").hidden = !letter.is_masked || letter.body === null;
}

function unmask() {
  const letter = inspected;
  const text = "You see everything that this event holds. The audit log says that you looked, and why.";
  ask({ title: "Show personal fields?", text, yes: "Show them" }, async (data) => {
    const shown = await call("POST", `${address(letter)}/unmasking`, { reason: reason(data) });
    // Whoever closed the letter meanwhile does not want to see it any more.
    if (inspected === letter) tell(shown);
  });
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
