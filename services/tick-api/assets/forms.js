/**
 * Forms: check, send, and put what the server refused at the field that it names.
 *
 * A field is an element with `data-pointer`, the JSON pointer of its value in the request.
 */

import { Problem } from "./api.js";
import { el, hush, warn } from "./dom.js";
import { t } from "./language.js";

/**
 * Runs `send` when the form is submitted and its fields are valid. The button is out of
 * reach meanwhile, so that nothing is sent twice.
 *
 * @param {HTMLFormElement} form
 * @param {(data: FormData) => Promise<void>} send
 */
export function onSubmit(form, send) {
  form.noValidate = true;
  form.addEventListener("input", (event) => clearField(event.target.closest("[data-pointer]")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    clearErrors(form);
    hush();
    if (!checkFields(form)) return;
    const data = new FormData(form);
    setBusy(form, true);
    try {
      await send(data);
    } catch (error) {
      showProblem(form, error);
    } finally {
      setBusy(form, false);
    }
  });
}

/** Marks the form busy; `aria-disabled` keeps the focus on the button, `disabled` would lose it. */
function setBusy(form, busy) {
  form.setAttribute("aria-busy", String(busy));
  form.querySelector("button[type=submit]").setAttribute("aria-disabled", String(busy));
}

/** Says at each field what the browser already knows to be wrong. */
function checkFields(form) {
  const wrong = [...form.elements].filter((control) => control.willValidate && !control.validity.valid);
  for (const control of wrong) {
    const field = control.closest("[data-pointer]");
    if (field) showAtField(field, control.validationMessage);
  }
  goToFirstWrong(form);
  return wrong.length === 0;
}

/**
 * Shows a failure: at the fields that it names, the rest as a notice.
 *
 * @param {HTMLFormElement} form
 * @param {unknown} error
 */
export function showProblem(form, error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (!(error instanceof Problem)) {
    warn(t("problem.page"));
    throw error;
  }
  const homeless = error.errors.filter(({ pointer, detail }) => {
    const field = fieldFor(form, pointer);
    if (field) showAtField(field, detail);
    return !field;
  });
  const rest = homeless.map(({ detail }) => detail).join(" ");
  const atField = error.errors.length > homeless.length;
  if (rest) warn(rest);
  else warn(atField ? t("problem.fields") : error.message);
  goToFirstWrong(form);
}

/** To the middle of the window, so that no notice covers what is wrong there. */
function goToFirstWrong(form) {
  const control = form.querySelector("[aria-invalid=true]");
  control?.focus({ preventScroll: true });
  control?.closest("[data-pointer]").scrollIntoView({ block: "center" });
}

/** The innermost field whose pointer is `pointer` or holds it. */
function fieldFor(form, pointer) {
  const wanted = String(pointer).replace(/^#/, "");
  const holds = (field) => wanted === field.dataset.pointer || wanted.startsWith(`${field.dataset.pointer}/`);
  return [...form.querySelectorAll("[data-pointer]")].find(holds);
}

/**
 * Puts a message under a field and ties it to the field's control.
 *
 * @param {HTMLElement} field
 * @param {string} text
 */
export function showAtField(field, text) {
  clearField(field);
  // Some fields are shown only where they are asked for.
  field.hidden = false;
  const control = field.querySelector("input, select, textarea");
  const id = `${control.id}-error`;
  field.append(el("p", { class: "error", id }, text));
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-errormessage", id);
  describe(control, id, true);
}

/** Takes the message of one field away. */
function clearField(field) {
  const message = field?.querySelector(":scope > .error");
  if (!message) return;
  const control = field.querySelector("[aria-invalid]");
  control.removeAttribute("aria-invalid");
  control.removeAttribute("aria-errormessage");
  describe(control, message.id, false);
  message.remove();
}

/**
 * Takes all messages of a form away.
 *
 * @param {HTMLFormElement} form
 */
export function clearErrors(form) {
  form.querySelectorAll("[data-pointer]").forEach(clearField);
}

/** Adds `id` to what describes the control, or takes it out; a hint stays where it is. */
function describe(control, id, present) {
  const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  if (present) ids.add(id);
  else ids.delete(id);
  if (ids.size) control.setAttribute("aria-describedby", [...ids].join(" "));
  else control.removeAttribute("aria-describedby");
}

/** Gives every password field of the page its "Show" button. */
export function addPasswordToggles() {
  for (const input of document.querySelectorAll("input[type=password]")) {
    const label = document.querySelector(`label[for="${input.id}"]`).textContent;
    const button = el("button", { type: "button", class: "peek", "aria-pressed": "false", "aria-label": t("field.show-what", { label }) }, t("field.show"));
    button.addEventListener("click", () => {
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
      button.textContent = t(shown ? "field.show" : "field.hide");
    });
    const wrap = el("div", { class: "with-peek" });
    input.replaceWith(wrap);
    wrap.append(input, button);
  }
}
