/** One's own ticks: what waits to be sent, then picture, what was seen, the score as soon as it is there, change and delete. */

import { askUntil, call, Problem, session } from "./api.js";
import { ask, byId, el, formatDate, say, warn } from "./dom.js";
import { t } from "./language.js";
import { badges, fillList, imageId, picture, speciesHeading, speciesName } from "./pictures.js";
import { sender } from "./sender.js";
import { showUnsent } from "./unsent.js";

/** Nobody's ticks stay on the page when somebody logs out. */
export function startTicks() {
  session.addEventListener("change", () => byId("ticks-list").replaceChildren());
}

/**
 * Shows the own ticks.
 *
 * @param {AbortSignal} signal
 */
export async function showTicks(signal) {
  const row = (tick) => card(tick, signal);
  // One after the other: an older answer must not take the place of a newer one.
  let filled = showUnsent(signal);
  const fill = () => {
    filled = filled.then(() => fillList({ path: "/api/v1/ticks?user=me&limit=12", id: "ticks", row }, signal));
    return filled;
  };
  sender.addEventListener("sent", ({ detail }) => {
    greet(detail);
    fill().catch(() => {});
  }, { signal });
  await fill();
}

/** Says what was sent a moment ago. */
function greet({ tick, isDuplicate }) {
  const name = tick.species?.english;
  if (isDuplicate) say(t("new.ticked.duplicate"));
  else say(name ? t("new.ticked", { name }) : t("new.ticked.unnamed"));
}

function card(tick, signal) {
  const figures = el("p", { class: "badges" }, ...badges({}));
  const name = speciesName(tick.species);
  const remove = el("button", { type: "button", class: "quiet small", "aria-label": t("ticks.delete.label", { name }) }, t("ticks.delete"));
  const edit = el("a", { class: "button small", href: `#edit/${tick.id}`, "aria-label": t("ticks.edit.label", { name }) }, t("ticks.edit"));
  const row = el(
    "li",
    { class: "card" },
    picture(imageId(tick.image.url), name),
    el(
      "div",
      { class: "card-text" },
      speciesHeading(tick.species),
      el("p", { class: "soft" }, facts(tick)),
      tick.note && el("p", { class: "note" }, tick.note),
      figures,
      el("p", { class: "actions" }, edit, remove),
    ),
  );
  remove.addEventListener("click", () => removeTick(tick, row));
  followScore(imageId(tick.image.url), figures, signal);
  return row;
}

/** `3 May 2026 · 2 birds`, of what is known. */
function facts(tick) {
  const parts = [];
  if (tick.seen_on) parts.push(formatDate(tick.seen_on));
  if (tick.count) parts.push(t("ticks.birds", { count: tick.count }));
  return parts.join(" · ");
}

/** Shows score and rating now, and asks again until the score is there. */
async function followScore(id, figures, signal) {
  try {
    await askUntil(
      () => call("GET", `/api/v1/images/${id}`, { signal }),
      (image) => {
        figures.replaceChildren(...badges(image));
        return typeof image.score === "number";
      },
      signal,
    );
  } catch (error) {
    // The picture is gone (deleted elsewhere); the list will tell at the next visit.
    if (error instanceof Problem) figures.replaceChildren(el("span", { class: "badge soft" }, t("ticks.no-figures")));
  }
}

async function removeTick(tick, row) {
  const name = speciesName(tick.species);
  if (!(await ask(t("ticks.delete.question"), t("ticks.delete.detail", { name }), t("ticks.delete")))) return;
  try {
    await call("DELETE", `/api/v1/ticks/${tick.id}`);
  } catch (error) {
    // 404: it was deleted elsewhere already, which is what was wanted.
    if (!(error instanceof Problem && error.status === 404)) return warn(error.message);
  }
  row.remove();
  byId("ticks-empty").hidden = byId("ticks-list").children.length > 0;
  byId("ticks-title").focus();
  say(t("ticks.deleted"));
}
