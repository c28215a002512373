/** Everything that is kept about oneself, in one file. */

import { askUntil, call, session } from "./api.js";
import { byId } from "./dom.js";
import { onSubmit } from "./forms.js";
import { t } from "./language.js";
import { proven } from "./prove.js";

/** Ends the asking for a file that nobody waits for any more. */
let waiting = new AbortController();

/** Wires the form and keeps it for one person. */
export function startExport() {
  onSubmit(byId("export-form"), putTogether);
  session.addEventListener("change", forget);
}

async function putTogether() {
  forget();
  const { signal } = waiting;
  const { status_url: url } = await proven(() => call("POST", "/api/v1/gdpr/export", { signal }));
  tell(t("export.working"));
  await askUntil(() => call("GET", url, { signal }), show, signal);
}

/** Says whether this is the end of it. */
function show({ state, download_url: url }) {
  if (state === "expired") tell(t("export.gone"));
  if (state !== "ready") return state === "expired";
  byId("export-download").href = url;
  byId("export-download").hidden = false;
  tell(t("export.ready"));
  return true;
}

function tell(text) {
  byId("export-summary").textContent = text;
}

/** Whoever has the address has the data. */
function forget() {
  waiting.abort();
  waiting = new AbortController();
  byId("export-download").hidden = true;
  byId("export-download").removeAttribute("href");
  tell("");
}
