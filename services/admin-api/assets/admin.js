/**
 * The dashboard: public figures for everybody, and for admins what goes on inside.
 * Everything is asked for again while somebody looks, and rests while the page is hidden.
 */

import { call, keepToken, Problem, token } from "./api.js";
import { onSubmit } from "./forms.js";
import { addTotal } from "./sparkline.js";
import { auditRow, consumerRow, deadLetterRow, number, showRows, streamRow } from "./tables.js";

const EVERY = 2000;

/** What was last seen, to fetch a list again only when it changed. @type {number | null} */
let deadLetters = null;

function byId(id) {
  return document.getElementById(id);
}

function say(text) {
  byId("message").textContent = text;
}

/** Only what is new: a screen reader would read the same warning out at every look. */
function warn(text) {
  if (byId("alert").textContent !== text) byId("alert").textContent = text;
}

/** The token of an account that is no admin: asking again would not change that. @type {string | null} */
let refused = null;
/** Whether the last look failed, so that its warning can be taken away by the next. */
let failing = false;

/** One look after the other: a slow server is not asked again before it answered. */
async function watch() {
  if (!document.hidden) {
    await Promise.all([showFigures(), showInside()]);
  }
  setTimeout(watch, EVERY);
}

async function showFigures() {
  try {
    const figures = await call("GET", "/api/v1/statistics/overview");
    fill(figures);
    if (typeof figures.ticks === "number") addTotal(byId("sparkline"), byId("sparkline-text"), figures.ticks);
    setLive("on", "Live");
  } catch {
    setLive("off", "No answer");
  }
}

function setLive(state, text) {
  byId("live").className = `live ${state}`;
  if (byId("live-text").textContent !== text) byId("live-text").textContent = text;
}

function fill(figures) {
  for (const place of document.querySelectorAll("[data-figure]")) {
    place.textContent = number(figures[place.dataset.figure]);
  }
}

/** Shows what only admins may see, if somebody is logged in. */
async function showInside() {
  const asked = token();
  if (!asked) return leave();
  if (asked === refused) return;
  try {
    const overview = await call("GET", "/api/v1/admin/overview");
    if (token() === asked) await enter(overview);
  } catch (error) {
    if (token() === asked) refuse(error);
  }
}

async function enter(overview) {
  const first = byId("inside").hidden;
  showRows(byId("streams"), overview.streams.map(streamRow));
  showRows(byId("consumers"), overview.consumers.map(consumerRow));
  byId("dead-count").textContent = number(overview.dead_letters);
  byId("dead-count").classList.toggle("strong", overview.dead_letters > 0);
  byId("entrance").hidden = true;
  byId("inside").hidden = false;
  byId("logout").hidden = false;
  // A warning from the form below is not this function's to take away.
  if (first || failing) warn("");
  failing = false;
  if (overview.dead_letters !== deadLetters) await showList("dead", "/api/v1/admin/dead-letters", deadLetterRow);
  deadLetters = overview.dead_letters;
  if (first) await showList("audit", "/api/v1/admin/audit", auditRow);
}

/** Nobody is logged in: back to the form, and nothing of before stays on the page. */
function leave() {
  deadLetters = null;
  byId("entrance").hidden = false;
  byId("inside").hidden = true;
  byId("logout").hidden = true;
  for (const id of ["streams", "consumers", "dead", "audit"]) byId(id).replaceChildren();
}

function refuse(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) {
    keepToken(null);
    leave();
    warn("You are logged out. Please log in again.");
  } else if (error.status === 403 || error.status === 404) {
    refused = token();
    leave();
    byId("logout").hidden = false;
    warn("This account is no admin. Log in with another one.");
  } else {
    failing = true;
    warn(error.message);
  }
}

/** Fills a list with its first page; its button brings the next. */
async function showList(id, path, row) {
  const body = byId(id);
  const more = byId(`${id}-more`);
  const load = async (cursor) => {
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const { items, next_cursor: next } = await call("GET", `${path}?limit=20${query}`);
    if (cursor) body.append(...items.map(row));
    else showRows(body, items.map(row));
    more.hidden = !next;
    more.onclick = () => load(next).catch(refuse);
  };
  await load(null);
}

async function logIn(data) {
  // A token of somebody else must not go along, and is given up by logging in anew.
  keepToken(null);
  const body = { email: String(data.get("email")).trim(), password: data.get("password") };
  const answer = await call("POST", "/api/v1/auth/login", body).catch(explainRefusal);
  keepToken(answer.token);
  byId("login-form").reset();
  say("");
  await showInside();
}

/** A bare 401 would say "unauthorised"; people want to know what to look at. */
function explainRefusal(error) {
  if (error instanceof Problem && error.status === 401) {
    error.message = "That e-mail and password do not belong together.";
  }
  throw error;
}

async function logOut() {
  try {
    await call("POST", "/api/v1/auth/logout");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  keepToken(null);
  leave();
  warn("");
  say("You are logged out.");
  byId("email").focus();
}

async function changeRole(data) {
  const id = String(data.get("id")).trim();
  const body = { role: data.get("role"), reason: String(data.get("reason")).trim() };
  await call("PUT", `/api/v1/admin/users/${encodeURIComponent(id)}/role`, body).catch(explainUnknown);
  byId("role-form").reset();
  say(`The role is changed to ${body.role}.`);
  await showList("audit", "/api/v1/admin/audit", auditRow);
}

function explainUnknown(error) {
  if (error instanceof Problem && error.status === 404) {
    error.errors = [{ pointer: "/id", detail: "There is no user with this id." }];
  }
  throw error;
}

function start() {
  onSubmit(byId("login-form"), logIn, warn);
  onSubmit(byId("role-form"), changeRole, warn);
  byId("logout").addEventListener("click", logOut);
  watch();
}

start();
