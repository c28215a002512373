/** What all parts of the page share: elements, messages, and lists that grow. */

import { call } from "./api.js";
import { labelled, showRows } from "./tables.js";

/** @param {string} id @returns {any} */
export function byId(id) {
  return document.getElementById(id);
}

/** Says what was done. @param {string} text */
export function say(text) {
  byId("message").textContent = text;
}

/** Only what is new: a screen reader would read the same warning out at every look. @param {string} text */
export function warn(text) {
  if (byId("alert").textContent !== text) byId("alert").textContent = text;
}

/**
 * An element with a class, holding texts and other elements.
 *
 * @param {string} name
 * @param {string} className
 * @param {...(Node | string)} inside text goes in as text
 */
export function make(name, className, ...inside) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...inside);
  return element;
}

/** Names and what they stand for, to go into a `dl`. @param {[string, string | Node][]} pairs @returns {HTMLElement[]} */
export function facts(pairs) {
  return pairs.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value)));
}

/** Gives the browser a file to save. @param {string} name @param {string} type @param {string} text */
export function saveFile(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A button that does something when it is pressed. @param {string} text @param {() => void} act */
export function button(text, act, className = "quiet small") {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/**
 * Fills a table with a list's first page; the button below it brings the next.
 *
 * @param {string} id of the table's body
 * @param {string} path of the list, with its query
 * @param {(item: any) => HTMLElement} row
 */
export async function showList(id, path, row) {
  const body = byId(id);
  await showPages(id, path, (items, isFirst) => {
    if (isFirst) showRows(body, items.map(row));
    else body.append(...labelled(body, items.map(row)));
  });
}

/**
 * The same for what is no table: `show` is given each page's items.
 *
 * @param {string} id
 * @param {string} path
 * @param {(items: any[], isFirst: boolean) => void} show
 */
export async function showPages(id, path, show) {
  const more = byId(`${id}-more`);
  const load = async (cursor) => {
    const { items, next_cursor: next } = await call("GET", withQuery(path, cursor));
    show(items, cursor === null);
    more.hidden = !next;
    more.onclick = () => load(next).catch((error) => warn(error.message));
  };
  await load(null);
}

/** Every item of a list, page by page. @param {string} path @returns {Promise<any[]>} */
export async function everything(path) {
  const all = [];
  let cursor = null;
  do {
    const page = await call("GET", withQuery(path, cursor, 100));
    all.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return all;
}

function withQuery(path, cursor, limit = 20) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor) query.set("cursor", cursor);
  return `${path}${path.includes("?") ? "&" : "?"}${query}`;
}
