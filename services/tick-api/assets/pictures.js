/** What the feed and the own ticks share: a picture, its species, its figures. */

import { call } from "./api.js";
import { byId, el, warn } from "./dom.js";
import { region, t } from "./language.js";

/**
 * The id within a picture's address.
 *
 * @param {string} url `/images/{id}/...`, with or without an origin
 * @returns {string}
 */
export function imageId(url) {
  return url.match(/\/images\/([^/?#]+)/)?.[1] ?? "";
}

/**
 * The name to show for a species.
 *
 * @param {{english?: string, scientific?: string} | null | undefined} species
 * @returns {string}
 */
export function speciesName(species) {
  return species?.english || species?.scientific || t("species.unnamed");
}

/**
 * A heading of a card: the name, and the scientific one below.
 *
 * @param {{english?: string, scientific?: string} | null | undefined} species
 * @returns {HTMLElement}
 */
export function speciesHeading(species) {
  const scientific = species?.english ? species.scientific : "";
  return el(
    "h2",
    {},
    speciesName(species),
    scientific && el("span", { class: "scientific", lang: "la" }, scientific),
  );
}

/**
 * The picture, in the size that fits, linked to its page.
 *
 * @param {string} id
 * @param {string} name what it shows
 * @returns {HTMLElement}
 */
export function picture(id, name) {
  const image = el("img", {
    src: `/images/${id}/400.jpg`,
    srcset: `/images/${id}/400.jpg 400w, /images/${id}/1024.jpg 1024w`,
    sizes: "(min-width: 60rem) 22rem, (min-width: 40rem) 45vw, 92vw",
    alt: name,
    loading: "lazy",
    decoding: "async",
  });
  markBroken(image);
  return el("a", { class: "picture", href: `#photo/${id}` }, image);
}

/**
 * Says of a picture that is not to be had that it is not.
 *
 * @param {HTMLImageElement} image
 */
export function markBroken(image) {
  image.addEventListener("error", () => image.classList.add("broken"), { once: true });
}

/**
 * Score and rating in words and figures.
 *
 * @param {{score?: number | null, rating?: {mean?: number | null, count?: number}}} image
 * @returns {HTMLElement[]}
 */
export function badges(image) {
  const scored = typeof image.score === "number";
  const count = image.rating?.count ?? 0;
  const mean = image.rating?.mean;
  const rated = count > 0 && typeof mean === "number";
  return [
    scored
      ? el("span", { class: "badge score", title: t("score.title") }, t("score.badge", { score: decimal(image.score) }))
      : el("span", { class: "badge waiting" }, t("score.waiting")),
    rated
      ? el("span", { class: "badge" }, `★ ${decimal(mean)}`, el("span", { class: "soft" }, ` · ${t("rating.count", { count })}`))
      : el("span", { class: "badge soft" }, t("rating.none")),
  ];
}

/**
 * A score or a mean: `4.2`, or `4,2`.
 *
 * @param {number} value
 * @returns {string}
 */
export function decimal(value) {
  return value.toLocaleString(region, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/**
 * Fills a list page by page: the first now, the next each time the button is pressed.
 *
 * @param {object} list
 * @param {string} list.path with a query string
 * @param {string} list.id the list is `#{id}-list`, beside `#{id}-empty` and `#{id}-more`
 * @param {(item: any) => HTMLElement} list.row builds one row
 * @param {AbortSignal} signal
 */
export async function fillList({ path, id, row }, signal) {
  const list = byId(`${id}-list`);
  const more = byId(`${id}-more`);
  const load = async (cursor) => {
    const query = cursor ? `${path}&cursor=${encodeURIComponent(cursor)}` : path;
    const { items, next_cursor: next } = await call("GET", query, { signal });
    const rows = items.map(row);
    if (cursor) list.append(...rows);
    else list.replaceChildren(...rows);
    byId(`${id}-empty`).hidden = list.children.length > 0;
    more.hidden = !next;
    more.onclick = () => load(next).catch((error) => signal.aborted || warn(error.message));
    // The button may be gone now; the reader goes on at the first new picture.
    if (cursor) rows[0]?.querySelector("a")?.focus();
  };
  await load(null);
}
