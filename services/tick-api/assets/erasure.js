/** How far an erasure is. Whoever knows its id may look; nobody is logged in here any more. */

import { askUntil, call, Problem } from "./api.js";
import { byId, el, formatTime } from "./dom.js";

/** The way of a request, in words. `failed` is no step: it may happen at any. */
const STEPS = [
  ["planned", "Everything that names you is listed"],
  ["fenced", "Nothing new about you is accepted"],
  ["erasing", "It is being erased"],
  ["scanning", "Every store is searched for what might be left"],
  ["erased", "It is erased"],
  ["closed", "The last backup is gone, too"],
];
const SERVICE_WORDS = { erased: "done", closed: "done", purged: "done", done: "done" };

/**
 * Shows one request and follows it to its end.
 *
 * @param {AbortSignal} signal
 * @param {string} id the secret id of the request
 */
export async function showErasure(signal, id) {
  clear();
  if (!id) return summary("This address is not complete.");
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
    summary("There is no such request.");
  }
}

function clear() {
  for (const id of ["erasure-steps", "erasure-facts", "erasure-services"]) byId(id).replaceChildren();
  byId("erasure-services-title").hidden = true;
  byId("erasure-receipt").hidden = true;
  summary("Asking how far it is.");
}

/** Said again only when it changed: a screen reader would repeat it at every look. */
function summary(text) {
  const place = byId("erasure-summary");
  if (place.textContent !== text) place.textContent = text;
}

function show(request) {
  summary(words(request.state));
  const reached = STEPS.findIndex(([state]) => state === request.state);
  byId("erasure-steps").replaceChildren(...STEPS.map(([, text], index) => step(text, index, reached)));
  byId("erasure-steps").hidden = reached < 0;
  byId("erasure-facts").replaceChildren(
    ...fact("Asked for", request.requested_at),
    ...(reached < 4 ? fact("Done at the latest", request.due_at) : []),
  );
  const services = request.services ?? [];
  byId("erasure-services-title").hidden = services.length === 0;
  byId("erasure-services").replaceChildren(...services.map(service));
  showReceipt(request.receipt);
}

function words(state) {
  if (state === "failed") return "Something failed. Please ask the people who run this place to finish it.";
  if (state === "erased" || state === "closed") return "Everything about you is erased. Fare well!";
  return "Your data is being erased. You can leave this page; it goes on by itself.";
}

function step(text, index, reached) {
  const done = index < reached || (index === reached && index >= 4);
  const now = index === reached && !done;
  return el("li", { class: done ? "done" : now ? "now" : "later", "aria-current": now && "step" },
    text, done && el("span", { class: "hushed" }, " (done)"));
}

function fact(name, time) {
  return time ? [el("dt", {}, name), el("dd", {}, formatTime(time))] : [];
}

function service({ name, state }) {
  const done = Object.hasOwn(SERVICE_WORDS, state);
  return el("li", {}, el("span", {}, name), el("span", { class: done ? "badge score" : "badge" }, SERVICE_WORDS[state] ?? state));
}

function showReceipt(receipt) {
  byId("erasure-receipt").hidden = !receipt;
  if (!receipt) return;
  byId("erasure-receipt-text").textContent = typeof receipt === "string" ? receipt : JSON.stringify(receipt, null, 2);
}
