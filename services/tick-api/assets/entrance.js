/** Coming in: register, confirm the address, log in. */

import { call, Problem, session } from "./api.js";
import { byId, say } from "./dom.js";
import { onSubmit } from "./forms.js";

/** Wires the forms and buttons of these views. */
export function startEntrance() {
  onSubmit(byId("register-form"), register);
  onSubmit(byId("login-form"), logIn);
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
  byId("mailed-to").textContent = ` to ${email}`;
  location.hash = "#mailed";
}

async function logIn(data) {
  const body = { email: String(data.get("email")).trim(), password: data.get("password") };
  const { token } = await call("POST", "/api/v1/auth/login", { body, keepSession: true }).catch(explainRefusal);
  byId("login-form").reset();
  session.begin(token);
  location.hash = "#ticks";
}

/** A bare 401 would say "unauthorised"; people want to know what to look at. */
function explainRefusal(error) {
  if (error instanceof Problem && error.status === 401) {
    error.message = "That e-mail and password do not belong together, or the address is not confirmed yet.";
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
  showState("Confirming your address", "One moment.", []);
  try {
    await call("POST", "/api/v1/auth/confirm", { body: { token } });
  } catch (error) {
    return showFailure(error);
  }
  dropToken();
  showState("Your address is confirmed", "Welcome! Log in and tick your first bird.", ["confirm-login"]);
  say("Your address is confirmed.");
}

/** Only an answer spends the token; without one it stays for another try. */
function showFailure(error) {
  const passing = !(error instanceof Problem) || error.status === 0 || error.status === 429 || error.status >= 500;
  if (passing) return showState("Not confirmed yet", error.message, ["confirm-again"]);
  dropToken();
  const text = "This link was used before or is too old. If you used it, you can log in.";
  showState("This link does not work any more", text, ["confirm-login", "confirm-register"]);
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
