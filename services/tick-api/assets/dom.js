/**
 * Elements and what is said to the reader. Text goes in as text, never as markup, so
 * nothing that somebody typed can become part of the page.
 */

import { region } from "./language.js";

/**
 * Builds an element.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `on` holds listeners; `false`, `null` and `undefined` leave an attribute out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") listen(element, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Adds every listener of `listeners`, an object of event name to function. */
function listen(element, listeners) {
  for (const [event, listener] of Object.entries(listeners)) element.addEventListener(event, listener);
}

/**
 * The element with this id, which the page is known to have.
 *
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

let noticeTimer = 0;

/**
 * Says something to everybody: shown, and read out by a screen reader.
 *
 * @param {string} text
 */
export function say(text) {
  showNotice("notice-status", text);
  noticeTimer = setTimeout(hush, 8000);
}

/**
 * Says that something failed. It stays until the next notice.
 *
 * @param {string} text
 */
export function warn(text) {
  showNotice("notice-alert", text);
}

/** Takes the last notice away. */
export function hush() {
  clearTimeout(noticeTimer);
  setQuiet(true);
  byId("notice-status").textContent = "";
  byId("notice-alert").textContent = "";
}

function showNotice(id, text) {
  hush();
  setQuiet(false);
  byId(id).textContent = text;
}

/** The live regions stay in the page also when there is nothing to say, or they would not be heard. */
function setQuiet(quiet) {
  byId("notice").classList.toggle("quiet", quiet);
  byId("notice-close").hidden = quiet;
}

/**
 * A date as people write it: `3 May 2026`.
 *
 * @param {string} value an RFC 3339 time or a date
 * @returns {string}
 */
export function formatDate(value) {
  // A date without a time means that day wherever one is; Date would read it as UTC midnight.
  const date = new Date(value.length === 10 ? `${value}T12:00:00` : value);
  return Number.isNaN(date.getTime()) ? value : date.toLocaleDateString(region, { dateStyle: "long" });
}

/**
 * A moment as people write it: `3 May 2026 at 14:05`.
 *
 * @param {string} value an RFC 3339 time
 * @returns {string}
 */
export function formatTime(value) {
  const date = new Date(value);
  return Number.isNaN(date.getTime())
    ? value
    : date.toLocaleString(region, { dateStyle: "long", timeStyle: "short" });
}

/**
 * Asks before something that cannot be taken back.
 *
 * @param {string} question
 * @param {string} detail what will happen
 * @param {string} action the words on the button that does it
 * @returns {Promise<boolean>} whether the answer was yes
 */
export function ask(question, detail, action) {
  const dialog = byId("ask");
  byId("ask-question").textContent = question;
  byId("ask-detail").textContent = detail;
  byId("ask-yes").textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
