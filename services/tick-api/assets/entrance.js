/** Coming in: register, confirm the address, log in. */

import { call, isPassing, Problem, session } from "./api.js";
import { byId, say } from "./dom.js";
import { onSubmit } from "./forms.js";
import { t } from "./language.js";

/** Wires the forms and buttons of these views. */
export function startEntrance() {
  onSubmit(byId("register-form"), register);
  onSubmit(byId("login-form"), logIn);
  session.addEventListener("change", () => (byId("login-factor").hidden = true));
  byId("confirm-again").addEventListener("click", confirm);
}

/** The answer is the same for a known address, so this can only say "look in your mail". */
async function register(data) {
  const email = String(data.get("email")).trim();
  const body = { email, password: data.get("password"), name: String(data.get("name")).trim() };
  const bornOn = data.get("born_on");
  if (bornOn) body.born_on = bornOn;
  await call("POST", "/api/v1/auth/register", { body });
  byId("register-form").reset();
  byId("login-email").value = email;
  byId("mailed-to").textContent = t("mailed.text.to", { email });
  location.hash = "#mailed";
}

async function logIn(data) {
  const body = { email: String(data.get("email")).trim(), password: data.get("password"), token_in: "cookie" };
  const code = String(data.get("code")).trim();
  if (code) body.code = code;
  const answer = await call("POST", "/api/v1/auth/login", { body, keepSession: true }).catch(explainRefusal);
  byId("login-form").reset();
  session.begin(answer);
  location.hash = "#ticks";
}

/** A bare 401 would say "unauthorised"; people want to know what to look at. */
function explainRefusal(error) {
  if (!(error instanceof Problem) || error.status !== 401) throw error;
  if (error.kind === "second-factor-required") {
    byId("login-factor").hidden = false;
    error.errors = [{ pointer: "/code", detail: t("login.code.missing") }];
  } else if (error.kind === "wrong-code") {
    error.errors = [{ pointer: "/code", detail: t("factor.wrong") }];
  } else {
    error.message = t("login.refused");
  }
  throw error;
}

/**
 * The view behind the link in the mail: spends the token of the address at once.
 *
 * @returns {Promise<void>}
 */
export async function showConfirm() {
  if (tokenInAddress()) await confirm();
  else location.replace("#login");
}

function tokenInAddress() {
  return new URLSearchParams(location.search).get("token");
}

async function confirm() {
  const token = tokenInAddress();
  showState(t("confirm.title"), t("moment"), []);
  try {
    await call("POST", "/api/v1/auth/confirm", { body: { token } });
  } catch (error) {
    return showFailure(error);
  }
  dropToken();
  showState(t("confirm.done"), t("confirm.done.text"), ["confirm-login"]);
  say(t("confirm.said"));
}

/** Only an answer spends the token; without one it stays for another try. */
function showFailure(error) {
  const passing = !(error instanceof Problem) || isPassing(error);
  if (passing) return showState(t("confirm.not-yet"), error.message, ["confirm-again"]);
  dropToken();
  showState(t("confirm.failed"), t("confirm.failed.text"), ["confirm-login", "confirm-register"]);
}

/** Takes the token out of the address bar and the history. */
function dropToken() {
  history.replaceState(null, "", `${location.pathname}#confirm`);
}

function showState(title, text, actions) {
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-actions").hidden = actions.length === 0;
  for (const id of ["confirm-again", "confirm-login", "confirm-register"]) byId(id).hidden = !actions.includes(id);
}
