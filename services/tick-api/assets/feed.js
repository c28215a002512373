/** The feed: everybody's pictures, new or best first, and rating them. */

import { call, Problem, session } from "./api.js";
import { byId, el, say, warn } from "./dom.js";
import { badges, fillList, imageId, picture, speciesHeading, speciesName } from "./pictures.js";

/** Long enough that moving through the stars with the arrow keys sends one rating only. */
const PAUSE_BEFORE_RATING = 500;
const WORDS = ["Poor", "Fair", "Good", "Very good", "Brilliant"];

/** The pictures of whoever is logged in: one does not rate one's own. */
let ownImages = new Set();

/** Forgets whose pictures are whose when somebody logs in or out. */
export function startFeed() {
  session.addEventListener("change", () => {
    ownImages = new Set();
    byId("feed-list").replaceChildren();
  });
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
  if (session.active) await learnOwnImages(signal);
  await fillList({ path: `/api/v1/feed?sort=${sort}&limit=12`, id: "feed", row: card }, signal);
}

/** The feed does not say whose picture is whose; one's own ticks do. */
async function learnOwnImages(signal) {
  const { items } = await call("GET", "/api/v1/ticks?user=me&limit=100", { signal });
  ownImages = new Set(items.map((tick) => imageId(tick.image.url)));
}

function card(image) {
  const figures = el("p", { class: "badges" }, ...badges(image));
  return el(
    "li",
    { class: "card" },
    picture(image.id, speciesName(image.species)),
    el("div", { class: "card-text" }, speciesHeading(image.species), figures, ratingPart(image, figures)),
  );
}

function ratingPart(image, figures) {
  if (!session.active) return el("p", { class: "hint" }, el("a", { href: "#login" }, "Log in"), " to rate it.");
  if (ownImages.has(image.id)) return el("p", { class: "hint" }, "This one is yours.");
  return stars(image, figures);
}

/** Five radio buttons that look like stars: the arrow keys work as in every group of them. */
function stars(image, figures) {
  const group = `rating-${image.id}`;
  const withdraw = el("button", { type: "button", class: "link" }, "Withdraw");
  const fieldset = el(
    "fieldset",
    { class: "stars" },
    el("legend", { class: "hushed" }, `Your rating of this ${speciesName(image.species)}`),
    el("span", { class: "star-row" }, ...WORDS.map((word, index) => star(group, index + 1, word))),
    withdraw,
  );
  let timer = 0;
  let saved = image.my_rating ?? null;
  const show = () => {
    withdraw.hidden = saved === null;
    for (const input of fieldset.querySelectorAll("input")) input.checked = Number(input.value) === saved;
  };
  const change = async (next) => {
    if (await rate(image.id, next, figures)) saved = next;
    show();
  };
  fieldset.addEventListener("change", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => change(Number(event.target.value)), PAUSE_BEFORE_RATING);
  });
  withdraw.addEventListener("click", async () => {
    clearTimeout(timer);
    fieldset.querySelector("input").focus();
    await change(null);
  });
  show();
  return fieldset;
}

function star(group, value, word) {
  const label = `${value} of 5: ${word}`;
  return el(
    "label",
    { title: label },
    el("input", { type: "radio", name: group, value, "aria-label": label }),
    el("span", { "aria-hidden": "true" }, "★"),
  );
}

/**
 * Sends a rating and shows the new figures.
 *
 * @param {string} id the image
 * @param {number | null} rating `null` withdraws it
 * @param {HTMLElement} figures where score and mean stand
 * @returns {Promise<boolean>} whether the server has it
 */
async function rate(id, rating, figures) {
  const path = `/api/v1/images/${id}/rating`;
  try {
    if (rating === null) await call("DELETE", path);
    else await call("PUT", path, { body: { rating } });
  } catch (error) {
    explain(error);
    return false;
  }
  say(rating === null ? "Your rating is withdrawn." : `Rated ${rating} of 5.`);
  // The rating counts also when the new figures cannot be had right now.
  await call("GET", `/api/v1/images/${id}`).then((image) => figures.replaceChildren(...badges(image)), () => {});
  return true;
}

function explain(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 403) warn("This picture is yours: others rate it.");
  else if (error.status === 404 || error.status === 410) warn("This picture is no longer here.");
  else if (error.status !== 401) warn(error.message);
}
