/** Rating a picture: five radio buttons that look like stars, so that arrow keys, touch and screen readers know them. */

import { call, Problem, session } from "./api.js";
import { el, say, warn } from "./dom.js";
import { t } from "./language.js";
import { imageId, speciesName } from "./pictures.js";

/** Long enough that moving through the stars with the arrow keys sends one rating only. */
const PAUSE_BEFORE_RATING = 500;
const STARS = [1, 2, 3, 4, 5];

/** The pictures of whoever is logged in: one does not rate one's own. */
let ownImages = null;
session.addEventListener("change", () => {
  ownImages = null;
});

/**
 * Learns whose pictures are one's own: the feed does not say, one's own ticks do.
 *
 * @param {AbortSignal} signal
 */
export async function learnOwnImages(signal) {
  if (!session.active) return;
  const { items } = await call("GET", "/api/v1/ticks?user=me&limit=100", { signal });
  ownImages = new Set(items.map((tick) => imageId(tick.image.url)));
}

/**
 * Whether a picture is one's own, as far as that was learnt.
 *
 * @param {string} id
 */
export function isOwn(id) {
  return ownImages?.has(id) ?? false;
}

/**
 * What somebody can do about a picture: rate it, log in first, or nothing as it is theirs.
 *
 * @param {any} image
 * @param {() => void} changed told when the server has a new rating; `image` has the new figures
 * @returns {HTMLElement}
 */
export function ratingPart(image, changed) {
  if (!session.active) return el("p", { class: "hint" }, el("a", { href: "#login" }, t("rate.login")), ` ${t("rate.login.rest")}`);
  if (isOwn(image.id)) return el("p", { class: "hint" }, t("rate.own"));
  return stars(image, changed);
}

function stars(image, changed) {
  const group = `rating-${image.id}`;
  const withdraw = el("button", { type: "button", class: "link" }, t("rate.withdraw"));
  const fieldset = el(
    "fieldset",
    { class: "stars" },
    el("legend", { class: "hushed" }, t("rate.legend", { name: speciesName(image.species) })),
    el("span", { class: "star-row" }, ...STARS.map((value) => star(group, value))),
    withdraw,
  );
  const show = () => {
    withdraw.hidden = !image.my_rating;
    for (const input of fieldset.querySelectorAll("input")) input.checked = Number(input.value) === image.my_rating;
  };
  const change = async (next) => {
    if (await rate(image, next)) changed();
    show();
  };
  let timer = 0;
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

function star(group, value) {
  const label = t("rate.star", { value, word: t(`rate.word.${value}`) });
  return el(
    "label",
    { title: label },
    el("input", { type: "radio", name: group, value, "aria-label": label }),
    el("span", { "aria-hidden": "true" }, "★"),
  );
}

/** Sends a rating; `null` withdraws it. Says whether the server has it. */
async function rate(image, rating) {
  const path = `/api/v1/images/${image.id}/rating`;
  try {
    if (rating === null) await call("DELETE", path);
    else await call("PUT", path, { body: { rating } });
  } catch (error) {
    explain(error);
    return false;
  }
  image.my_rating = rating;
  say(rating === null ? t("rate.withdrawn") : t("rate.done", { rating }));
  // The rating counts also when the new figures cannot be had right now.
  await call("GET", `/api/v1/images/${image.id}`).then((now) => Object.assign(image, now), () => {});
  return true;
}

function explain(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 403) warn(t("rate.is-own"));
  else if (error.status === 404 || error.status === 410) warn(t("photo.gone"));
  else if (error.status !== 401) warn(error.message);
}
