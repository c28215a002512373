/** Changing one's password, and choosing a new one by a mailed link when it is forgotten. */

import { call, Problem, session } from "./api.js";
import { byId, say } from "./dom.js";
import { clearErrors, onSubmit } from "./forms.js";
import { t } from "./language.js";

/** Wires the forms. */
export function startPassword() {
  onSubmit(byId("password-form"), change);
  onSubmit(byId("forgotten-form"), sendLink);
  onSubmit(byId("reset-form"), reset);
  session.addEventListener("change", () => {
    byId("password-form").reset();
    clearErrors(byId("password-form"));
  });
}

async function change(data) {
  const body = { password: data.get("password"), new_password: data.get("new_password") };
  await call("POST", "/api/v1/auth/password", { body, keepSession: true }).catch(explainWrongPassword);
  byId("password-form").reset();
  say(t("password.changed"));
}

/**
 * A refusal without a named field is about the password as it is.
 *
 * @param {unknown} error
 */
export function explainWrongPassword(error) {
  if (error instanceof Problem && [401, 403].includes(error.status)) {
    error.errors = [{ pointer: "/password", detail: t("password.wrong") }];
  }
  throw error;
}

/** The answer is the same for an address that nobody has, so this can only say "look in your mail". */
async function sendLink(data) {
  const email = String(data.get("email")).trim();
  await call("POST", "/api/v1/auth/password/reset", { body: { email } });
  byId("forgotten-form").reset();
  byId("login-email").value = email;
  say(t("forgotten.sent", { email }));
  location.hash = "#login";
}

/** The view behind the link in the mail; without what it holds there is nothing to do here. */
export function showReset() {
  if (!tokenInAddress()) location.replace("#forgotten");
}

function tokenInAddress() {
  return new URLSearchParams(location.search).get("token");
}

async function reset(data) {
  const body = { token: tokenInAddress(), password: data.get("password") };
  await call("POST", "/api/v1/auth/password/reset/confirm", { body });
  byId("reset-form").reset();
  // The token is spent: it goes out of the address bar and the history.
  history.replaceState(null, "", `${location.pathname}#reset`);
  session.end();
  say(t("reset.done"));
  location.hash = "#login";
}
