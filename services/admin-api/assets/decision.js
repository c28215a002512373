/** The dialog that asks for a reason: nothing is changed here without one. */

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
    const isAsked = parts.includes(field.dataset.part);
    field.hidden = !isAsked;
    // What is not asked for must not keep the form from being sent.
    field.querySelector("input, select").disabled = !isAsked;
  }
  for (const [name, value] of Object.entries(values)) form.elements.namedItem(name).value = value;
  send = act;
  byId("decision").showModal();
}

/** Makes the dialog work. */
export function prepare() {
  onSubmit(byId("decision-form"), async (data) => {
    await send(data);
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
