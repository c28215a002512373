/** The dialog that asks for a reason: nothing is changed here without one, and some things not without a password. */

import { call, Problem } from "./api.js";
import { onSubmit } from "./forms.js";
import { byId } from "./page.js";

/** What is done when the form is sent. @type {(data: FormData) => Promise<void>} */
let send = async () => {};

/**
 * Asks, and does it when the answer is given. What the server refuses is shown in the dialog.
 *
 * @param {{title: string, text?: string, yes: string, parts?: string[], values?: Record<string, string>}} question
 *   `parts` names the fields that are asked for beside the reason, `values` what stands in them at first
 * @param {(data: FormData) => Promise<void>} act
 */
export function ask({ title, text = "", yes, parts = [], values = {} }, act) {
  const form = byId("decision-form");
  form.reset();
  byId("decision-title").textContent = title;
  byId("decision-text").textContent = text;
  byId("decision-alert").textContent = "";
  byId("decision-yes").textContent = yes;
  for (const field of form.querySelectorAll("[data-part]")) {
    setAsked(field, parts.includes(field.dataset.part));
  }
  for (const [name, value] of Object.entries(values)) form.elements.namedItem(name).value = value;
  send = act;
  byId("decision").showModal();
}

function setAsked(field, isAsked) {
  field.hidden = !isAsked;
  // What is not asked for must not keep the form from being sent.
  field.querySelector("input, select").disabled = !isAsked;
}

/** Asks for one thing more, and says why. */
function askFor(part, detail, error) {
  setAsked(document.querySelector(`#decision-form [data-part=${part}]`), true);
  error.errors = [{ pointer: `/${part}`, detail }];
}

/** It is a while since the log-in: the same form asks for the password, and is sent again with it. */
function explain(error) {
  if (error instanceof Problem && error.kind === "reauthentication-required") {
    askFor("password", "It is a while since you logged in: enter your password, too.", error);
  }
  throw error;
}

async function prove(data) {
  const body = { password: data.get("password") };
  if (data.has("code")) body.code = String(data.get("code")).trim();
  try {
    await call("POST", "/api/v1/auth/reauthenticate", body);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 403) askFor("password", "The password or the code is wrong.", error);
    else if (error.errors.some(({ pointer }) => pointer === "/code")) askFor("code", "This account asks for a code, too.", error);
    throw error;
  }
}

/** Makes the dialog work. */
export function prepare() {
  onSubmit(byId("decision-form"), async (data) => {
    if (data.has("password")) await prove(data);
    await send(data).catch(explain);
    byId("decision").close();
  }, (text) => {
    byId("decision-alert").textContent = text;
  });
  byId("decision-no").addEventListener("click", () => byId("decision").close());
}

/** @param {FormData} data @returns {string} the reason as it is sent */
export function reason(data) {
  return String(data.get("reason")).trim();
}
