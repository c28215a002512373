/** People: find an account, see how it stands, suspend its user, log them out, change their role. */

import { call, Problem } from "./api.js";
import { ask, reason } from "./decision.js";
import { onSubmit } from "./forms.js";
import { byId, facts, make, say, warn } from "./page.js";
import { number, time } from "./tables.js";

const DAY = 86_400_000;

/** The account on the page. @type {any} */
let shown = null;

/** Shows the account of a user, if one is named: `#people/ID`. @param {string} [id] */
export async function show(id) {
  if (!id) return;
  byId("user-id").value = id;
  showAccount(await call("GET", address(id)));
}

/** Takes everything from the page. */
export function empty() {
  shown = null;
  byId("account").hidden = true;
  for (const form of ["search-form", "user-form"]) byId(form).reset();
}

/** Makes forms and buttons work. */
export function prepare() {
  onSubmit(byId("search-form"), async (data) => {
    const body = { email: String(data.get("email")).trim(), reason: reason(data) };
    showAccount(await call("POST", "/api/v1/admin/users/search", body).catch(unknown("/email", "Nobody has this address.")));
    byId("search-form").reset();
  }, warn);
  onSubmit(byId("user-form"), async (data) => {
    const id = String(data.get("id")).trim();
    await show(id).catch(unknown("/id", "There is no user with this id."));
  }, warn);
  byId("account-suspend").addEventListener("click", suspend);
  byId("account-lift").addEventListener("click", lift);
  byId("account-logout").addEventListener("click", logOut);
  byId("account-role").addEventListener("click", changeRole);
}

function address(id, what = "") {
  return `/api/v1/admin/users/${encodeURIComponent(id)}${what}`;
}

/** A bare 404 says little; this says it at the field. */
function unknown(pointer, detail) {
  return (error) => {
    if (error instanceof Problem && error.status === 404) error.errors = [{ pointer, detail }];
    throw error;
  };
}

function showAccount(account) {
  shown = account;
  byId("account-facts").replaceChildren(...facts([
    ["User id", make("code", "", account.id)],
    ["Role", account.role],
    ["Since", time(account.created_at)],
    ["Address", account.is_confirmed ? "confirmed" : "not confirmed"],
    ["Sessions", number(account.sessions)],
    ["Suspended", account.suspended_until ? `until ${time(account.suspended_until)}` : "no"],
  ]));
  byId("account-lift").hidden = !account.suspended_until;
  byId("account").hidden = false;
  byId("account").scrollIntoView({ block: "nearest" });
}

function suspend() {
  const values = { until: new Date(Date.now() + 7 * DAY).toISOString().slice(0, 10) };
  const text = "All their sessions end now, and they cannot log in before.";
  ask({ title: "Suspend this user?", text, yes: "Suspend", parts: ["until"], values }, async (data) => {
    const until = new Date(`${data.get("until")}T23:59:59`).toISOString();
    await suspendUntil(until, data);
    say("The user is suspended.");
  });
}

function lift() {
  ask({ title: "Lift the suspension?", yes: "Let them in" }, async (data) => {
    await suspendUntil(null, data);
    say("The user may log in again.");
  });
}

async function suspendUntil(until, data) {
  showAccount(await call("PUT", address(shown.id, "/suspension"), { until, reason: reason(data) }));
}

function logOut() {
  ask({ title: "End all sessions?", text: "The user is logged out everywhere, and may log in again.", yes: "End them" }, async (data) => {
    await call("POST", address(shown.id, "/logout"), { reason: reason(data) });
    showAccount(await call("GET", address(shown.id)));
    say("All sessions are ended.");
  });
}

function changeRole() {
  ask({ title: "Change the role?", yes: "Change it", parts: ["role"], values: { role: shown.role } }, async (data) => {
    const role = data.get("role");
    await call("PUT", address(shown.id, "/role"), { role, reason: reason(data) });
    showAccount(await call("GET", address(shown.id)));
    say(`The role is changed to ${role}.`);
  });
}
