/** Proving again who one is, for what a session that somebody got hold of must not be enough for. */

import { call, Problem } from "./api.js";
import { byId } from "./dom.js";
import { clearErrors, onSubmit } from "./forms.js";
import { t } from "./language.js";
import { explainWrongPassword } from "./password.js";

/** Wires the dialog. */
export function startProof() {
  onSubmit(byId("prove-form"), send);
  byId("prove-close").addEventListener("click", () => byId("prove").close("no"));
}

/**
 * Does something, and once more when it had to be proven first.
 *
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export async function proven(act) {
  try {
    return await act();
  } catch (error) {
    const isAsked = error instanceof Problem && error.kind === "reauthentication-required";
    if (!isAsked || !(await isProven())) throw error;
    return act();
  }
}

function isProven() {
  const dialog = byId("prove");
  byId("prove-form").reset();
  clearErrors(byId("prove-form"));
  byId("prove-factor").hidden = true;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function send(data) {
  const body = { password: data.get("password") };
  const code = String(data.get("code")).trim();
  if (code) body.code = code;
  await call("POST", "/api/v1/auth/reauthenticate", { body, keepSession: true }).catch(explain);
  byId("prove").close("yes");
}

/** That a code is asked for, too, is known only now. */
function explain(error) {
  if (!(error instanceof Problem) || error.status !== 422) explainWrongPassword(error);
  if (error.errors.some(({ pointer }) => pointer === "/code")) {
    byId("prove-factor").hidden = false;
    error.errors = [{ pointer: "/code", detail: t("login.code.missing") }];
  }
  throw error;
}
