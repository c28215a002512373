/**
 * The language of the page: the one that was chosen, or else the first of the browser's that there is. All text of the
 * pages is in `messages.LANGUAGE.js`; elements name theirs by `data-t`, attributes by `data-t-label`, `data-t-alt`.
 */

const KEY = "dipper.language";

/** The languages, each by its own name, and how dates and numbers are written there. */
export const LANGUAGES = { en: "English", sv: "Svenska" };
const REGIONS = { en: "en-GB", sv: "sv-SE" };

/** The language of the page. */
export const language = chosen();

/** For dates and numbers. */
export const region = REGIONS[language];

const { default: messages } = await import(`./messages.${language}.js`);
const plural = new Intl.PluralRules(region);

function chosen() {
  const wishes = [localStorage.getItem(KEY), ...navigator.languages.map((name) => name.slice(0, 2).toLowerCase())];
  return wishes.find((name) => Object.hasOwn(LANGUAGES, name)) ?? "en";
}

/**
 * A text of the page. `{name}` in it stands for a value; one with several forms is chosen by the value `count`.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const found = messages[key];
  if (found === undefined) throw new Error(`there is no text ${key}`);
  const text = typeof found === "string" ? found : found[plural.select(values.count)];
  return text.replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** @returns {string} the page's text if it has one, or else what the server said */
export function tOr(key, said) {
  return Object.hasOwn(messages, key) ? t(key) : said;
}

function written(value) {
  return typeof value === "number" ? value.toLocaleString(region) : String(value);
}

/** Puts the texts into the page. */
export function translatePage() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.ariaLabel = t(element.dataset.tLabel);
  for (const element of document.querySelectorAll("[data-t-alt]")) element.alt = t(element.dataset.tAlt);
}

/**
 * Remembers a language and shows the page in it.
 *
 * @param {string} name
 */
export function setLanguage(name) {
  localStorage.setItem(KEY, name);
  location.reload();
}
