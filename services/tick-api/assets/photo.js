/** One picture: large, with its score and the reasons for it, what people think of it, and one's own rating. */

import { call, Problem, session } from "./api.js";
import { byId, el } from "./dom.js";
import { t, tOr } from "./language.js";
import { followRatings } from "./live.js";
import { decimal, markBroken, speciesName } from "./pictures.js";
import { appeal, report } from "./report.js";
import { isOwn, learnOwnImages, ratingPart } from "./stars.js";

/**
 * Shows a picture and its news.
 *
 * @param {AbortSignal} signal
 * @param {string} id the image
 */
export async function showPhoto(signal, id) {
  byId("photo-body").replaceChildren();
  try {
    await learnOwnImages(signal);
    const image = await call("GET", `/api/v1/images/${encodeURIComponent(id)}`, { signal });
    fill(image, signal);
  } catch (error) {
    const isMissing = error instanceof Problem && [400, 404, 410].includes(error.status);
    if (!isMissing) throw error;
    byId("photo-title").textContent = t("photo.gone");
  }
}

function fill(image, signal) {
  const name = speciesName(image.species);
  byId("photo-title").textContent = name;
  document.title = `${name} · Dipper`;
  const figures = el("div", { class: "verdicts" });
  const show = (news = {}) => figures.replaceChildren(...verdicts(Object.assign(image, news)));
  show();
  byId("photo-body").replaceChildren(
    large(image.id, name),
    el("div", { class: "panel photo-text" },
      image.species?.english && el("p", { class: "scientific", lang: "la" }, image.species.scientific),
      image.hidden && hiddenPart(image),
      figures,
      image.place && placePart(image.place),
      ratingPart(image, () => show()),
      session.active && !isOwn(image.id) && reportButton(image.id)),
  );
  followRatings(({ image: { id }, ...news }) => id === image.id && show(news), signal);
}

/** Where it was taken, as its owner shows it: text that can be copied, and no map, since that would be somebody else's. */
function placePart({ lat, lon }) {
  return el("section", { "aria-labelledby": "photo-place" },
    el("h2", { id: "photo-place" }, t("photo.place")), el("p", {}, `${lat}, ${lon}`));
}

function reportButton(id) {
  return el("button", { type: "button", class: "link report", on: { click: () => report(id) } }, t("report.title"));
}

/** What its owner reads of a picture that moderators have hidden. */
function hiddenPart({ id, hidden }) {
  const part = el("div", { class: "hidden-note" }, el("p", {}, t("hidden.text", { reason: t(`report.${hidden.category}`) })));
  const sent = () => el("p", { class: "soft" }, t("appeal.sent"));
  const button = el("button", { type: "button", class: "quiet", on: { click: () => appeal(id, () => button.replaceWith(sent())) } }, t("appeal.title"));
  part.append(hidden.is_appealed ? sent() : button);
  return part;
}

function large(id, name) {
  const file = (width) => `/images/${id}/${width}.jpg`;
  const img = el("img", {
    src: file(1024),
    srcset: `${file(400)} 400w, ${file(1024)} 1024w, ${file(2048)} 2048w`,
    sizes: "(min-width: 60rem) 44rem, 100vw",
    alt: name,
  });
  markBroken(img);
  return el("a", { class: "large", href: file(2048), "aria-label": t("photo.full", { name }) }, img);
}

function verdicts(image) {
  const { mean, count } = image.rating;
  const people = count ? t("photo.ratings", { count }) : t("rating.none");
  return [
    el("h2", {}, t("photo.score")),
    typeof image.score === "number" ? measure(image.score) : el("p", { class: "soft" }, t("score.waiting")),
    reasons(image.reasons ?? []),
    el("h2", {}, t("photo.people")),
    el("p", { class: "figure", "aria-live": "polite" }, mean && el("strong", {}, `★ ${decimal(mean)} `), el("span", { class: "soft" }, people)),
  ];
}

function measure(score) {
  const text = t("photo.of-five", { score: decimal(score) });
  return el("p", { class: "figure" },
    el("strong", {}, decimal(score)),
    el("meter", { min: 1, max: 5, low: 2.5, high: 3.5, optimum: 5, value: score, "aria-label": text }));
}

function reasons(texts) {
  return texts.length > 0 && el("ul", { class: "reasons" }, ...texts.map((text) => el("li", {}, tOr(`reason.${text}`, text))));
}
