/** What is kept about oneself, why and for how long: from the records of processing, which the services are checked against. */

import { call } from "./api.js";
import { byId, el } from "./dom.js";
import { t, tOr } from "./language.js";

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

function activity({ id, name, purpose, legal_basis: basis, recipients, places }) {
  const times = [...new Set(places.map(({ retention }) => retention))];
  return el("details", {},
    el("summary", {}, tOr(`kept.name.${id}`, name)),
    el("dl", { class: "facts" },
      el("dt", {}, t("kept.why")), el("dd", {}, tOr(`kept.purpose.${id}`, purpose)),
      ...inEnglish(t("kept.basis"), basis),
      ...inEnglish(t("kept.who"), recipients),
      ...inEnglish(t("kept.long"), times.join("; "))));
}

/** As the records say it: a screen reader must not read it as another language. */
function inEnglish(term, text) {
  return [el("dt", {}, term), el("dd", { lang: "en" }, text)];
}
