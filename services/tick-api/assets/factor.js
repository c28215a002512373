/** The second factor: set up with a password and a first code, switched off with both. */

import { call, session } from "./api.js";
import { byId, el, say } from "./dom.js";
import { clearErrors, onSubmit } from "./forms.js";
import { t } from "./language.js";
import { explainWrongPassword } from "./password.js";

const FACTOR = "/api/v1/auth/second-factor";
const FORMS = ["factor-begin", "factor-confirm", "factor-end"];

/** Wires the forms; what one person was shown nobody else sees. */
export function startFactor() {
  onSubmit(byId("factor-begin"), begin);
  onSubmit(byId("factor-confirm"), confirm);
  onSubmit(byId("factor-end"), end);
  session.addEventListener("change", () => reveal(null));
}

/**
 * Shows how it stands.
 *
 * @param {AbortSignal} signal
 */
export async function showFactor(signal) {
  const { enabled, recovery_codes: left } = await call("GET", FACTOR, { signal });
  reveal(enabled ? "factor-end" : "factor-begin");
  tell(enabled ? t("factor.on", { count: left }) : t("factor.off"));
}

/** Shows one form, empty, or none; codes and secrets that were shown go. */
function reveal(shown) {
  for (const id of FORMS) {
    byId(id).reset();
    clearErrors(byId(id));
    byId(id).hidden = id !== shown;
  }
  byId("factor-codes").replaceChildren();
  byId("factor-secret").textContent = "";
  URL.revokeObjectURL(byId("factor-qr").src);
  byId("factor-qr").removeAttribute("src");
  byId("factor-open").removeAttribute("href");
  tell("");
}

function tell(text) {
  byId("factor-state").textContent = text;
}

async function begin(data) {
  const body = { password: data.get("password") };
  const begun = await call("POST", FACTOR, { body, keepSession: true }).catch(explainWrongPassword);
  reveal("factor-confirm");
  tell(t("factor.scan"));
  byId("factor-secret").textContent = begun.secret;
  byId("factor-open").href = begun.uri;
  byId("factor-qr").hidden = !begun.qr_svg;
  if (begun.qr_svg) draw(byId("factor-qr"), begun.qr_svg);
  byId("factor-first").focus();
}

/** The policy of the page takes no `data:`. */
function draw(image, svg) {
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
}

async function confirm(data) {
  const body = { code: String(data.get("code")).trim() };
  const { recovery_codes: codes } = await call("POST", `${FACTOR}/confirm`, { body, keepSession: true }).catch(explainWrongCode);
  reveal("factor-end");
  tell(t("factor.keep"));
  byId("factor-codes").replaceChildren(...codes.map((code) => el("li", {}, el("code", {}, code))));
  byId("factor-title").focus();
}

/** A refusal without a named field is about the code: nothing else was sent. */
function explainWrongCode(error) {
  if (error.status === 403) error.errors = [{ pointer: "/code", detail: t("factor.wrong") }];
  throw error;
}

async function end(data) {
  const body = { password: data.get("password"), code: String(data.get("code")).trim() };
  await call("POST", `${FACTOR}/delete`, { body, keepSession: true });
  reveal("factor-begin");
  tell(t("factor.off"));
  byId("factor-title").focus();
  say(t("factor.ended"));
}
