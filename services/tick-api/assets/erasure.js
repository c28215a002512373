/** How far an erasure is. Whoever knows its id may look; nobody is logged in here any more. */

import { askUntil, call, Problem } from "./api.js";
import { byId, el, formatTime } from "./dom.js";
import { t } from "./language.js";

/** The way of a request, in words. `failed` is no step: it may happen at any. */
const STEPS = ["planned", "fenced", "erasing", "scanning", "erased", "closed"];
const ERASED = STEPS.indexOf("erased");
const DONE = ["erased", "closed", "purged", "done"];

/**
 * Shows one request and follows it to its end.
 *
 * @param {AbortSignal} signal
 * @param {string} id the secret id of the request
 */
export async function showErasure(signal, id) {
  clear();
  if (!id) return summary(t("erasure.incomplete"));
  try {
    await askUntil(
      () => call("GET", `/api/v1/gdpr/requests/${id}`, { signal }),
      (request) => {
        show(request);
        return ["erased", "closed", "failed"].includes(request.state);
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) throw error;
    summary(t("erasure.unknown"));
  }
}

function clear() {
  for (const id of ["erasure-steps", "erasure-facts", "erasure-services"]) byId(id).replaceChildren();
  byId("erasure-services-title").hidden = true;
  byId("erasure-receipt").hidden = true;
  summary(t("erasure.asking"));
}

/** Said again only when it changed: a screen reader would repeat it at every look. */
function summary(text) {
  const place = byId("erasure-summary");
  if (place.textContent !== text) place.textContent = text;
}

function show(request) {
  summary(words(request.state));
  const reached = STEPS.indexOf(request.state);
  byId("erasure-steps").replaceChildren(...STEPS.map((state, index) => step(t(`erasure.step.${state}`), index, reached)));
  byId("erasure-steps").hidden = reached < 0;
  byId("erasure-facts").replaceChildren(
    ...fact(t("erasure.asked"), request.requested_at),
    ...(reached < ERASED ? fact(t("erasure.due"), request.due_at) : []),
  );
  const services = request.services ?? [];
  byId("erasure-services-title").hidden = services.length === 0;
  byId("erasure-services").replaceChildren(...services.map(service));
  showReceipt(request.receipt);
}

function words(state) {
  if (state === "failed") return t("erasure.failed");
  if (state === "erased" || state === "closed") return t("erasure.over");
  return t("erasure.running");
}

function step(text, index, reached) {
  const done = index < reached || (index === reached && index >= ERASED);
  const now = index === reached && !done;
  return el("li", { class: done ? "done" : now ? "now" : "later", "aria-current": now && "step" },
    text, done && el("span", { class: "hushed" }, ` ${t("erasure.step.done")}`));
}

function fact(name, time) {
  return time ? [el("dt", {}, name), el("dd", {}, formatTime(time))] : [];
}

function service({ name, state }) {
  const done = DONE.includes(state);
  return el("li", {}, el("span", {}, name), el("span", { class: done ? "badge score" : "badge" }, done ? t("erasure.done") : state));
}

function showReceipt(receipt) {
  byId("erasure-receipt").hidden = !receipt;
  if (!receipt) return;
  byId("erasure-receipt-text").textContent = typeof receipt === "string" ? receipt : JSON.stringify(receipt, null, 2);
}
