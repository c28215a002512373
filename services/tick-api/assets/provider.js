/** Logging in with an OpenID Connect provider, where the deployment has one. */

import { call, Problem, session } from "./api.js";
import { byId } from "./dom.js";
import { clearErrors, onSubmit } from "./forms.js";
import { t } from "./language.js";

const ARRIVAL = "/api/v1/auth/oidc/session";

/** Wires the form. */
export function startProvider() {
  onSubmit(byId("provider-form"), enter);
}

/**
 * Shows the way to the provider beside the form that asks for a password.
 *
 * @param {AbortSignal} signal
 */
export async function offerProvider(signal) {
  // It is an extra: without an answer the page is just shorter.
  const { provider } = await call("GET", "/api/v1/auth/oidc", { signal }).catch(() => ({ provider: null }));
  byId("login-provider-offer").hidden = provider === null;
  if (provider !== null) byId("login-provider").textContent = t("provider.login", { provider });
}

/**
 * Goes on with whoever came back from the provider: asks for what is missing, or for nothing.
 *
 * @param {AbortSignal} signal
 */
export async function showArrival(signal) {
  ask([]);
  tell(t("moment"));
  try {
    const { provider, email, name, needs } = await call("GET", ARRIVAL, { signal });
    tell(t(`provider.${needs}`, { provider, email }));
    ask({ registration: ["/name"], password: ["/password"], code: ["/code"] }[needs] ?? []);
    if (needs === "registration") byId("provider-name").value = name;
    else if (needs === "nothing") byId("provider-form").requestSubmit();
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    tell(t("provider.failed"));
  }
}

/** Shows the fields that are asked for, and the button if there are any. */
function ask(pointers) {
  const form = byId("provider-form");
  form.reset();
  clearErrors(form);
  for (const field of form.querySelectorAll("[data-pointer]")) field.hidden = !pointers.includes(field.dataset.pointer);
  byId("provider-go").hidden = pointers.length === 0;
}

function tell(text) {
  byId("provider-text").textContent = text;
}

async function enter(data) {
  const filled = [...data].filter(([, value]) => value !== "");
  const answer = await call("POST", ARRIVAL, { body: Object.fromEntries(filled), keepSession: true }).catch(explain);
  byId("provider-form").reset();
  session.begin(answer);
  location.replace("#ticks");
}

/** What was wrong, at its field. */
function explain(error) {
  if (!(error instanceof Problem)) throw error;
  const at = (pointer, text) => (error.errors = [{ pointer, detail: t(text) }]);
  if (error.kind === "second-factor-required") at("/code", "login.code.missing");
  else if (error.kind === "wrong-code") at("/code", "factor.wrong");
  else if (error.kind === "reauthentication-failed") at("/password", "password.wrong");
  throw error;
}
