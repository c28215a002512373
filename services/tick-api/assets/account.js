/** My account: name, notifications, log out; and my data: what is kept, what may be done with it, a copy, erase everything. */

import { call, isPassing, Problem, session } from "./api.js";
import { showChoices } from "./choices.js";
import { ask, byId, say, warn } from "./dom.js";
import { showFactor } from "./factor.js";
import { clearErrors, onSubmit } from "./forms.js";
import { showKept } from "./kept.js";
import { t } from "./language.js";
import { clearForm } from "./new-tick.js";
import { explainWrongPassword } from "./password.js";
import { proven } from "./prove.js";
import { removeAllOf, waitingOf } from "./queue.js";
import { showSessions } from "./sessions.js";

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
  await together("account-stack", [showProfile(signal), showFactor(signal), showSessions(signal)]);
}

async function showProfile(signal) {
  fill(await call("GET", "/api/v1/users/me", { signal }));
}

/**
 * Shows panels when all of them are filled, so that nothing moves under a finger. Also when that fails: whoever wants to
 * log out or to erase everything must be able to.
 */
async function together(id, filled) {
  byId(id).hidden = true;
  try {
    await Promise.all(filled);
  } finally {
    byId(id).hidden = false;
  }
}

/**
 * Shows the data.
 *
 * @param {AbortSignal} signal
 */
export async function showData(signal) {
  await together("data-stack", [showKept(signal), showChoices(signal), showProfile(signal)]);
}

function fill(user) {
  profile = user;
  byId("account-email").textContent = user.email;
  // Password managers look here for whose password is asked for.
  for (const id of ["erase-username", "factor-username", "factor-end-username", "password-username", "prove-username"]) {
    // What a form falls back to when it is reset.
    byId(id).defaultValue = user.email;
  }
  const waiting = byId("account-waiting");
  waiting.hidden = !user.new_email;
  waiting.textContent = user.new_email ? t("account.confirm-email", { email: user.new_email }) : "";
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
    await proven(() => call("PATCH", "/api/v1/users/me", { body }));
    fill(await call("GET", "/api/v1/users/me"));
  }
  say(t("saved"));
}

/** The cookie is not ours to take away: without an answer one is logged in as before. */
async function logOut() {
  const { user } = session;
  const waiting = await waitingOf(user);
  const detail = t("logout.detail", { count: waiting.length });
  if (waiting.length && !(await ask(t("logout.question"), detail, t("logout")))) return;
  try {
    await call("POST", "/api/v1/auth/logout");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (isPassing(error)) return warn(error.message);
  }
  await removeAllOf(user);
  session.end();
}

async function erase(data) {
  if (!(await ask(t("erase.question"), t("erase.detail"), t("erase.title")))) return;
  const body = { password: data.get("password") };
  const answer = await call("POST", "/api/v1/gdpr/delete", { body, keepSession: true }).catch(explainWrongPassword);
  await removeAllOf(session.user);
  // The id is a secret: in the fragment it never reaches a server or its log.
  location.hash = `#erasure/${encodeURIComponent(answer.request_id)}`;
  session.end();
}

/** The next person at this screen must not see anything of the last one. */
function forget() {
  profile = null;
  clearForm();
  byId("account-email").textContent = "";
  byId("account-waiting").textContent = "";
  for (const id of ["account-form", "erase-form"]) {
    byId(id).reset();
    clearErrors(byId(id));
  }
}
