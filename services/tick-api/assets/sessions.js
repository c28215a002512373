/** Where one is logged in, and ending that from here. */

import { call, session } from "./api.js";
import { byId, el, formatTime, say, warn } from "./dom.js";
import { t } from "./language.js";

const SESSIONS = "/api/v1/auth/sessions";

/** Nobody's sessions stay on the page when somebody logs out. */
export function startSessions() {
  session.addEventListener("change", () => byId("sessions-list").replaceChildren());
}

/**
 * Shows the sessions.
 *
 * @param {AbortSignal} signal
 */
export async function showSessions(signal) {
  const { items } = await call("GET", SESSIONS, { signal });
  byId("sessions-list").replaceChildren(...items.map(row));
}

function row({ id, created_at: begun, current }) {
  const since = t("sessions.since", { time: formatTime(begun) });
  const end = el("button", { type: "button", class: "quiet small", "aria-label": `${t("sessions.end")}: ${since}` }, t("sessions.end"));
  const line = el("li", {}, el("span", {}, since), current ? el("span", { class: "badge score" }, t("sessions.this")) : end);
  end.addEventListener("click", () => finish(id, line));
  return line;
}

async function finish(id, line) {
  try {
    await call("DELETE", `${SESSIONS}/${id}`);
  } catch (error) {
    return warn(error.message);
  }
  line.remove();
  byId("sessions-title").focus();
  say(t("sessions.ended"));
}
