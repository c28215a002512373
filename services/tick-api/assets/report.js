/** Telling the moderators that a picture should not be here, or that one's own should. */

import { call } from "./api.js";
import { byId, say } from "./dom.js";
import { clearErrors, onSubmit } from "./forms.js";
import { t } from "./language.js";

/** The picture that the open dialog is about, and what follows when it was sent. */
let image = "";
let then = () => {};

/** Wires the dialogs. */
export function startReport() {
  onSubmit(byId("report-form"), sendReport);
  onSubmit(byId("appeal-form"), sendAppeal);
  for (const name of ["report", "appeal"]) byId(`${name}-close`).addEventListener("click", () => byId(name).close());
}

/**
 * Opens the dialog to report a picture.
 *
 * @param {string} id
 */
export function report(id) {
  open("report", id);
}

/**
 * Opens the dialog to object to the hiding of one's own picture.
 *
 * @param {string} id
 * @param {() => void} sent what to do when it was sent
 */
export function appeal(id, sent) {
  then = sent;
  open("appeal", id);
}

function open(name, id) {
  image = id;
  byId(`${name}-form`).reset();
  clearErrors(byId(`${name}-form`));
  byId(name).showModal();
}

async function sendAppeal(data) {
  const body = { note: String(data.get("note")).trim() };
  await call("POST", `/api/v1/images/${image}/appeal`, { body }).finally(() => byId("appeal").close());
  then();
  say(t("appeal.done"));
}

async function sendReport(data) {
  const body = { category: data.get("category") };
  const note = String(data.get("note")).trim();
  if (note) body.note = note;
  await call("POST", `/api/v1/images/${image}/reports`, { body }).finally(() => byId("report").close());
  say(t("report.done"));
}
