/** The feed: everybody's pictures, new or best first, their ratings as they come. */

import { session } from "./api.js";
import { byId, el } from "./dom.js";
import { followRatings } from "./live.js";
import { badges, fillList, picture, speciesHeading, speciesName } from "./pictures.js";
import { learnOwnImages, ratingPart } from "./stars.js";

/** Nobody's ratings stay on the page when somebody logs in or out. */
export function startFeed() {
  session.addEventListener("change", () => byId("feed-list").replaceChildren());
}

/**
 * Shows the feed.
 *
 * @param {AbortSignal} signal
 * @param {string} argument `best`, or empty for the newest
 */
export async function showFeed(signal, argument) {
  const sort = argument === "best" ? "best" : "new";
  for (const link of document.querySelectorAll("[data-sort]")) {
    if (link.dataset.sort === sort) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  await learnOwnImages(signal);
  const cards = new Map();
  const row = (image) => card(image, cards);
  await fillList({ path: `/api/v1/feed?sort=${sort}&limit=12`, id: "feed", row }, signal);
  followRatings(({ image, ...news }) => cards.get(image.id)?.(news), signal);
}

/** A picture with its figures; `cards` learns how to show news of it. */
function card(image, cards) {
  const figures = el("p", { class: "badges" });
  const show = (news = {}) => figures.replaceChildren(...badges(Object.assign(image, news)));
  show();
  cards.set(image.id, show);
  return el(
    "li",
    { class: "card" },
    picture(image.id, speciesName(image.species)),
    el("div", { class: "card-text" }, speciesHeading(image.species), figures, ratingPart(image, show)),
  );
}
