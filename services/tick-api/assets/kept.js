/** What is kept about oneself, why and for how long: from the records of processing, which the services are checked against. */

import { call } from "./api.js";
import { byId, el } from "./dom.js";
import { region, t, tOr } from "./language.js";

/**
 * Shows the records.
 *
 * @param {AbortSignal} signal
 */
export async function showKept(signal) {
  const { activities } = await call("GET", "/api/records.json", { signal });
  const personal = activities.filter(({ places }) => places.some(({ whose }) => !["nobody", "admin"].includes(whose)));
  byId("kept-list").replaceChildren(...personal.map(activity));
}

function activity({ id, name, purpose, basis, legal_basis: inEnglish, recipients, places }) {
  const ends = new Map(places.map(({ ends: end, retention }) => [JSON.stringify(end), [end, retention]]));
  return el("details", {},
    el("summary", {}, tOr(`kept.name.${id}`, name)),
    el("dl", { class: "facts" },
      ...fact("kept.why", `kept.purpose.${id}`, purpose),
      ...fact("kept.basis", `kept.basis.${basis}`, inEnglish),
      ...fact("kept.who", `kept.recipients.${id}`, recipients),
      el("dt", {}, t("kept.long")), el("dd", {}, ...[...ends.values()].flatMap(lifetime))));
}

function lifetime([end, said], index) {
  const text = typeof end === "object" ? el("span", {}, length(end.after)) : told(`kept.ends.${end}`, said);
  return index === 0 ? [text] : ["; ", text];
}

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

/** Seconds, in the largest unit that fits. */
function length(seconds) {
  const [unit, size] = UNITS.find(([, size]) => seconds % size === 0);
  return new Intl.NumberFormat(region, { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
}

function fact(term, key, said) {
  return [el("dt", {}, t(term)), el("dd", {}, told(key, said))];
}

/** A screen reader must not read what the records say in English as another language. */
function told(key, said) {
  const text = tOr(key, null);
  return text === null ? el("span", { lang: "en" }, said) : el("span", {}, text);
}
