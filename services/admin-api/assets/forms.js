/** Forms: check, send, and put what the server refused at the field that it names. */

import { Problem } from "./api.js";

/**
 * Runs `send` when the form is submitted and its fields are valid.
 *
 * @param {HTMLFormElement} form
 * @param {(data: FormData) => Promise<void>} send
 * @param {(text: string) => void} warn told what belongs to no field; an empty text takes it away
 */
export function onSubmit(form, send, warn) {
  form.noValidate = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    clearErrors(form);
    warn("");
    if (!checkFields(form)) return;
    setBusy(form, true);
    try {
      await send(new FormData(form));
    } catch (error) {
      showProblem(form, error, warn);
    } finally {
      setBusy(form, false);
    }
  });
}

/** `aria-disabled` keeps the focus on the button, `disabled` would lose it. */
function setBusy(form, busy) {
  form.setAttribute("aria-busy", String(busy));
  form.querySelector("button[type=submit]").setAttribute("aria-disabled", String(busy));
}

/** Says at each field what the browser already knows to be wrong. */
function checkFields(form) {
  const wrong = [...form.elements].filter((control) => control.willValidate && !control.validity.valid);
  for (const control of wrong) {
    const own = control.validity.patternMismatch && control.title;
    showAtField(control.closest("[data-pointer]"), own || control.validationMessage);
  }
  wrong[0]?.focus();
  return wrong.length === 0;
}

function showProblem(form, error, warn) {
  if (!(error instanceof Problem)) {
    warn("This page made a mistake. Please load it again.");
    throw error;
  }
  const homeless = error.errors.filter(({ pointer, detail }) => {
    const wanted = String(pointer).replace(/^#/, "");
    const field = [...form.querySelectorAll("[data-pointer]")].find(({ dataset }) => dataset.pointer === wanted);
    if (field) showAtField(field, detail);
    return !field;
  });
  const rest = homeless.map(({ detail }) => detail).join(" ");
  const atField = error.errors.length > homeless.length;
  warn(rest || (atField ? "Please look at the marked fields." : error.message));
  form.querySelector("[aria-invalid=true]")?.focus();
}

/** Puts a message under a field and ties it to the field's control. */
function showAtField(field, text) {
  const control = field.querySelector("input, select");
  const message = document.createElement("p");
  message.id = `${control.id}-error`;
  message.className = "error";
  message.textContent = text;
  field.append(message);
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-errormessage", message.id);
  describe(control, (ids) => ids.add(message.id));
}

/** A message is read out with its field; a hint that the field has stays. */
function describe(control, change) {
  const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  change(ids);
  if (ids.size) control.setAttribute("aria-describedby", [...ids].join(" "));
  else control.removeAttribute("aria-describedby");
}

function clearErrors(form) {
  for (const message of form.querySelectorAll(".error")) message.remove();
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-errormessage");
    describe(control, (ids) => ids.delete(`${control.id}-error`));
  }
}
