/** Telling the moderators that a picture should not be here. */

import { call } from "./api.js";
import { byId, say } from "./dom.js";
import { clearErrors, onSubmit } from "./forms.js";
import { t } from "./language.js";

/** The picture that the open dialog is about. */
let image = "";

/** Wires the dialog. */
export function startReport() {
  onSubmit(byId("report-form"), send);
  byId("report-close").addEventListener("click", () => byId("report").close());
}

/**
 * Opens the dialog.
 *
 * @param {string} id the picture
 */
export function report(id) {
  image = id;
  byId("report-form").reset();
  clearErrors(byId("report-form"));
  byId("report").showModal();
}

async function send(data) {
  const body = { category: data.get("category") };
  const note = String(data.get("note")).trim();
  if (note) body.note = note;
  await call("POST", `/api/v1/images/${image}/reports`, { body }).finally(() => byId("report").close());
  say(t("report.done"));
}
