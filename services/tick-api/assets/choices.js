/** What may be done with one's data: restriction, objections, and the consent to exact places. */

import { call, session } from "./api.js";
import { byId, say } from "./dom.js";
import { onSubmit } from "./forms.js";
import { language, t } from "./language.js";

const LIMITS = "/api/v1/users/me/limits";
const CONSENTS = "/api/v1/users/me/consents";

/** The text that is shown, and whether its reader agrees: exact places are kept until somebody takes that back. */
let places = null;

/** Wires the form and keeps it for one person. */
export function startChoices() {
  onSubmit(byId("choices-form"), save);
  session.addEventListener("change", forget);
}

/**
 * Shows what stands.
 *
 * @param {AbortSignal} signal
 */
export async function showChoices(signal) {
  const addresses = [LIMITS, CONSENTS, "/api/v1/consents/texts"];
  const [standing, decisions, texts] = await Promise.all(addresses.map((path) => call("GET", path, { signal })));
  const last = decisions.items.findLast((decision) => decision.purpose === "places");
  places = { text: texts.items.find((text) => text.name === `places.${language}`), given: last?.given ?? true };
  byId("choices-restricted").value = String(standing.restricted);
  byId("choices-scoring").value = String(standing.objections.includes("scoring"));
  byId("choices-statistics").value = String(standing.objections.includes("statistics"));
  byId("choices-places").value = String(places.given);
  byId("choices-places-text").textContent = places.text.text;
}

async function save(data) {
  // The objection to mail is another form's, and stays as it is.
  const before = await call("GET", LIMITS);
  const objections = before.objections.filter((purpose) => purpose === "mail");
  for (const purpose of ["scoring", "statistics"]) if (data.get(purpose) === "true") objections.push(purpose);
  await call("PUT", LIMITS, { body: { restricted: data.get("restricted") === "true", objections } });
  const given = data.get("places") === "true";
  if (given !== places.given) {
    const { name: text, sha256 } = places.text;
    await call("POST", CONSENTS, { body: { text, sha256, given } });
    places.given = given;
  }
  say(t("saved"));
}

/** The next person at this screen must not see anything of the last one. */
function forget() {
  places = null;
  byId("choices-form").reset();
}
