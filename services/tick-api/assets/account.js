/** My account: name, notifications, log out, erase everything. */

import { call, Problem, session } from "./api.js";
import { showChoices } from "./choices.js";
import { ask, byId, say } from "./dom.js";
import { clearErrors, onSubmit } from "./forms.js";
import { forgetDraft } from "./new-tick.js";

/** What the server last said about the account; only what differs is sent back. */
let profile = null;

/** Wires the forms and buttons of this view. */
export function startAccount() {
  onSubmit(byId("account-form"), save);
  onSubmit(byId("erase-form"), erase);
  byId("logout").addEventListener("click", logOut);
  session.addEventListener("change", forget);
}

/**
 * Shows the account.
 *
 * @param {AbortSignal} signal
 */
export async function showAccount(signal) {
  fill(await call("GET", "/api/v1/users/me", { signal }));
  await showChoices(signal);
}

function fill(user) {
  profile = user;
  byId("account-email").textContent = user.email;
  // Password managers look here for whose password is asked for.
  byId("erase-username").value = user.email;
  const waiting = byId("account-waiting");
  waiting.hidden = !user.new_email;
  waiting.textContent = user.new_email ? `Open the link that was mailed to ${user.new_email}: then this is your address.` : "";
  byId("account-new-email").value = "";
  byId("account-name").value = user.name;
  byId("account-notifications").value = user.preferences.notifications;
}

async function save(data) {
  const body = {};
  const name = String(data.get("name")).trim();
  const notifications = data.get("notifications");
  const email = String(data.get("email")).trim();
  if (email) body.email = email;
  if (name !== profile?.name) body.name = name;
  if (notifications !== profile?.preferences.notifications) body.preferences = { notifications };
  if (Object.keys(body).length) {
    await call("PATCH", "/api/v1/users/me", { body });
    fill(await call("GET", "/api/v1/users/me"));
  }
  say("Saved.");
}

/** Logged out here also when the server cannot be told; its session ends by its age then. */
async function logOut() {
  try {
    await call("POST", "/api/v1/auth/logout");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  session.end();
}

async function erase(data) {
  const detail = "Account, ticks, pictures and ratings go for good. Nobody can bring them back.";
  if (!(await ask("Erase everything?", detail, "Erase everything"))) return;
  const body = { password: data.get("password") };
  const answer = await call("POST", "/api/v1/gdpr/delete", { body, keepSession: true }).catch(explainRefusal);
  // The id is a secret: in the fragment it never reaches a server or its log.
  location.hash = `#erasure/${encodeURIComponent(answer.request_id)}`;
  session.end();
}

/** A refusal without a named field is about the password: nothing else was sent. */
function explainRefusal(error) {
  if (error instanceof Problem && [401, 403].includes(error.status)) {
    error.errors = [{ pointer: "/password", detail: "This is not your password." }];
  }
  throw error;
}

/** The next person at this screen must not see anything of the last one. */
function forget() {
  profile = null;
  forgetDraft();
  byId("account-email").textContent = "";
  byId("account-waiting").textContent = "";
  for (const id of ["account-form", "erase-form"]) {
    byId(id).reset();
    clearErrors(byId(id));
  }
}
