/** Reported photos: look, and hide, show again, or leave as it is. */

import { call } from "./api.js";
import { ask, reason } from "./decision.js";
import { byId, button, make, say, showPages, warn } from "./page.js";
import { number, time } from "./tables.js";

const WORDS = {
  "not-a-bird": "No bird", privacy: "Privacy", offensive: "Offensive", copyright: "Somebody else’s work", other: "Something else",
};

/** `open` or `decided`. */
let state = "open";

/** Shows the cases. */
export async function show() {
  for (const one of ["open", "decided"]) byId(`reports-${one}`).setAttribute("aria-pressed", String(one === state));
  await showPages("cases", `/api/v1/admin/reports?state=${state}`, (items, isFirst) => {
    if (isFirst) empty();
    byId("cases").append(...items.map(card));
    if (isFirst && !items.length) byId("cases").append(make("p", "panel soft", state === "open" ? "Nothing to decide." : "Nothing was decided yet."));
  });
  await count();
}

/** Says in the navigation how many wait, as far as one page tells. */
export async function count() {
  const { items, next_cursor: next } = await call("GET", "/api/v1/admin/reports?limit=100");
  const badge = byId("reports-count");
  badge.hidden = items.length === 0;
  badge.textContent = next ? "100+" : number(items.length);
}

/** Takes everything from the page. */
export function empty() {
  byId("cases").replaceChildren();
}

/** Makes the choice of cases work. */
export function prepare() {
  for (const one of ["open", "decided"]) {
    byId(`reports-${one}`).addEventListener("click", () => {
      state = one;
      show().catch((error) => warn(error.message));
    });
  }
}

function card(one) {
  const picture = make("img", "");
  picture.alt = "The reported photo";
  picture.addEventListener("error", () => (picture.alt = "The photo is gone, or its owner restricted what is done with it."), { once: true });
  picture.src = `/images/${one.image.id}/400.jpg`;
  picture.width = 400;
  picture.height = 300;
  const inside = make("div", "case-text", make("h2", "", title(one)), make("p", "soft", `Since ${time(one.since)}`), ...notes(one), actions(one));
  return make("article", "panel case", make("div", "frame", picture), inside);
}

function title(one) {
  const counted = one.reports.map(({ category, count }) => (count > 1 ? `${WORDS[category]} × ${number(count)}` : WORDS[category]));
  const hidden = one.hidden_for ? ` · hidden: ${WORDS[one.hidden_for]}` : "";
  return `${counted.join(", ") || "No report is left"}${hidden}`;
}

function notes(one) {
  const all = one.newest.filter(({ note }) => note).map(({ note }) => make("blockquote", "", note));
  if (one.appeal) all.push(make("p", "appeal", make("b", "", "The owner objects: "), one.appeal.note));
  return all;
}

function actions(one) {
  const all = make("div", "actions");
  if (one.hidden_for) all.append(button("Show it again …", () => decide(one, "unhide"), "small"));
  else all.append(button("Hide it …", () => decide(one, "hide"), "small"));
  if (one.state === "open") all.append(button(one.hidden_for ? "Keep it hidden …" : "Leave it …", () => decide(one, "dismiss")));
  const owner = make("a", "", "Its owner");
  owner.href = `#people/${one.owner.id}`;
  all.append(owner);
  return all;
}

const QUESTIONS = {
  hide: { title: "Hide this photo?", text: "Only its owner and moderators see it then. The owner is told what is wrong, and may object.", yes: "Hide it", parts: ["category"] },
  unhide: { title: "Show this photo again?", text: "Everybody sees it then.", yes: "Show it" },
  dismiss: { title: "Leave it as it is?", text: "The case is decided, and nothing else changes.", yes: "Leave it" },
};

function decide(one, action) {
  const values = action === "hide" ? { category: one.reports[0]?.category ?? "other" } : {};
  ask({ ...QUESTIONS[action], values }, async (data) => {
    const body = { action, reason: reason(data) };
    if (action === "hide") body.category = data.get("category");
    await call("POST", `/api/v1/admin/reports/${one.id}/decisions`, body);
    say("It is decided.");
    await show();
  });
}
