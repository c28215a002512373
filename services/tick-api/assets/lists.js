/** The life list and the list of this year: each species with its first tick. */

import { call, session } from "./api.js";
import { byId, el, formatDate } from "./dom.js";
import { t } from "./language.js";
import { fillList, imageId } from "./pictures.js";

/** Nobody's lists stay on the page when somebody logs out. */
export function startLists() {
  session.addEventListener("change", () => byId("lists-list").replaceChildren());
}

/**
 * Shows a list.
 *
 * @param {AbortSignal} signal
 * @param {string} argument `year`, or empty for all years
 */
export async function showLists(signal, argument) {
  const kind = argument === "year" ? "year" : "life";
  for (const link of document.querySelectorAll("[data-list]")) {
    if (link.dataset.list === kind) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const lifers = kind === "year" ? await firstDays(signal) : new Map();
  const row = (entry) => line(entry, lifers.get(entry.species.id) === entry.date);
  await fillList({ path: `/api/v1/users/me/lists/${kind}?limit=50`, id: "lists", row }, signal);
}

/** The day on which each species was seen first; those of this year are the latest of the life list. */
async function firstDays(signal) {
  const year = String(new Date().getFullYear());
  const days = new Map();
  let cursor = "";
  do {
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = await call("GET", `/api/v1/users/me/lists/life?limit=100${query}`, { signal });
    for (const { species, date } of page.items) days.set(species.id, date);
    cursor = page.items.at(-1)?.date.startsWith(year) ? page.next_cursor : null;
  } while (cursor);
  return days;
}

function line({ species, date, image }, isLifer) {
  const id = imageId(image.url);
  return el("li", { class: "listed" },
    el("a", { href: `#photo/${id}`, tabindex: -1, "aria-hidden": "true" },
      el("img", { src: `/images/${id}/400.jpg`, alt: "", width: 72, height: 72, loading: "lazy", decoding: "async" })),
    el("div", {},
      el("a", { class: "listed-name", href: `#photo/${id}` }, species.english || species.scientific),
      el("span", { class: "scientific", lang: "la" }, species.scientific),
      el("span", { class: "soft" }, formatDate(date)),
      isLifer && el("span", { class: "badge score" }, t("lists.lifer"))));
}
