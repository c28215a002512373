/**
 * The dashboard: public figures for everybody, and for moderators and admins what they look after.
 * Figures are asked for again while somebody looks, and rest while the page is hidden.
 */

import { call, keepUser, Problem, user } from "./api.js";
import * as broker from "./broker.js";
import * as charts from "./charts.js";
import * as decision from "./decision.js";
import * as event from "./event.js";
import * as flow from "./flow.js";
import { onSubmit } from "./forms.js";
import * as letters from "./letters.js";
import * as log from "./log.js";
import { byId, say, warn } from "./page.js";
import * as people from "./people.js";
import * as reports from "./reports.js";
import * as requests from "./requests.js";
import { addTotal } from "./sparkline.js";
import { number } from "./tables.js";

const EVERY = 2000;

/** What is shown under which address, and for whom; `load` is given what follows the name. */
const VIEWS = {
  overview: { load: charts.show, role: null },
  reports: { load: reports.show, role: "moderator" },
  people: { load: people.show, role: "moderator" },
  letters: { load: letters.show, role: "admin" },
  event: { load: event.show, role: "admin" },
  broker: { load: broker.show, role: "admin" },
  erasures: { load: requests.show, role: "admin" },
  log: { load: log.show, role: "admin" },
};

/** What the one who is logged in may do here: `moderator`, `admin`, or nothing. @type {string | null} */
let role = null;
/** Whose role that is: somebody else may log in in another tab. @type {string | null} */
let insider = null;
/** Who may do nothing here: asking again would not change that. @type {string | null} */
let refused = null;
/** Whether the last look failed, so that its warning can be taken away by the next. */
let failing = false;
/** How many dead letters there were at the last look. */
let deadLetters = 0;

/** One look after the other: a slow server is not asked again before it answered. */
async function watch() {
  if (!document.hidden) await Promise.all([showFigures(), showInside()]);
  setTimeout(watch, EVERY);
}

async function showFigures() {
  try {
    const figures = await call("GET", "/api/v1/statistics/overview");
    for (const place of document.querySelectorAll("[data-figure]")) place.textContent = number(figures[place.dataset.figure]);
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

/** Shows what only moderators and admins may see, if one is logged in. */
async function showInside() {
  const asked = user();
  if (!asked) return leave();
  if (asked === refused) return;
  if (role !== null && asked !== insider) leave();
  try {
    if (role === null) await enter(asked);
    if (role === "admin") showOverview(await call("GET", "/api/v1/admin/overview"));
    if (failing) warn("");
    failing = false;
  } catch (error) {
    if (user() === asked) refuse(error);
  }
}

async function enter(asked) {
  const answer = await call("GET", "/api/v1/admin/me");
  if (user() !== asked) return;
  role = answer.role;
  insider = asked;
  for (const element of document.querySelectorAll("[data-role]")) element.hidden = element.dataset.role !== role;
  byId("entrance").hidden = true;
  byId("sections").hidden = false;
  byId("logout").hidden = false;
  warn("");
  await Promise.all([route(), reports.count()]);
}

function showOverview(overview) {
  broker.showOverview(overview);
  flow.show(overview);
  const badge = byId("dead-count");
  badge.hidden = overview.dead_letters === 0;
  badge.textContent = number(overview.dead_letters);
  const isNew = overview.dead_letters !== deadLetters;
  deadLetters = overview.dead_letters;
  if (isNew && place().name === "letters") letters.show().catch(refuse);
}

/** Nobody is logged in: back to the form, and nothing of before stays on the page. */
function leave() {
  role = null;
  deadLetters = 0;
  byId("entrance").hidden = false;
  byId("sections").hidden = true;
  byId("logout").hidden = true;
  byId("decision").close();
  for (const element of document.querySelectorAll("main [data-role]")) element.hidden = true;
  for (const body of document.querySelectorAll("tbody")) body.replaceChildren();
  byId("flow").replaceChildren();
  byId("explained").hidden = true;
  reports.empty();
  people.empty();
  letters.empty();
  reveal("overview");
}

function refuse(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) {
    keepUser(null);
    leave();
    warn("You are logged out. Please log in again.");
  } else if (role === null && (error.status === 403 || error.status === 404)) {
    refused = user();
    leave();
    byId("logout").hidden = false;
  } else {
    failing = true;
    warn(error.message);
  }
}

/** `#people/ID` is the view `people` and what it shows. */
function place() {
  const [name, what] = location.hash.slice(1).split("/");
  const view = Object.hasOwn(VIEWS, name) ? VIEWS[name] : null;
  const isAllowed = view && (view.role === null || role === "admin" || view.role === role);
  return isAllowed ? { name, what } : { name: "overview", what: undefined };
}

async function route() {
  const { name, what } = place();
  reveal(name);
  try {
    await VIEWS[name].load(what);
  } catch (error) {
    refuse(error);
  }
}

function reveal(name) {
  for (const view of document.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== name;
  for (const link of document.querySelectorAll("#sections a")) {
    if (link.hash === `#${name}`) {
      link.setAttribute("aria-current", "page");
      // On a phone the links are wider than the window.
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
  const title = document.querySelector(`[data-view=${name}] h1`).textContent;
  document.title = `${title} · Dipper`;
}

async function logIn(data) {
  const body = { email: String(data.get("email")).trim(), password: data.get("password"), token_in: "cookie" };
  const code = String(data.get("code")).trim();
  if (code) body.code = code;
  const answer = await call("POST", "/api/v1/auth/login", body).catch(explainRefusal);
  refused = null;
  keepUser(answer.user.id);
  byId("login-form").reset();
  byId("factor").hidden = true;
  say("");
  await showInside();
  // Birders who only look at the figures are not told what they did not ask for.
  if (refused) return warn("This account is no admin or moderator. Log in with another one.");
  // The form was below the figures; what is shown now begins above them.
  scrollTo(0, 0);
  focusHeading();
}

/** A bare 401 would say "unauthorised"; people want to know what to look at. */
function explainRefusal(error) {
  if (!(error instanceof Problem) || error.status !== 401) throw error;
  if (error.kind === "second-factor-required") {
    byId("factor").hidden = false;
    error.errors = [{ pointer: "/code", detail: "This account asks for a code, too." }];
  } else if (error.kind === "wrong-code") {
    error.errors = [{ pointer: "/code", detail: "That code is wrong, or was used before." }];
  } else {
    error.message = "That e-mail and password do not belong together.";
  }
  throw error;
}

/** The cookie is not ours to take away: without an answer one is logged in as before. */
async function logOut() {
  try {
    await call("POST", "/api/v1/auth/logout");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status !== 401) return warn(error.message);
  }
  keepUser(null);
  leave();
  warn("");
  say("You are logged out.");
  byId("email").focus();
}

/** A new view: its heading has the focus, so that keyboard and screen reader are where the eye is. */
async function turnTo() {
  say("");
  warn("");
  await route();
  focusHeading();
}

function focusHeading() {
  document.querySelector(`[data-view=${place().name}] h1`).focus();
}

function start() {
  onSubmit(byId("login-form"), logIn, warn);
  for (const part of [decision, event, letters, log, people, reports]) part.prepare();
  byId("logout").addEventListener("click", logOut);
  addEventListener("hashchange", turnTo);
  if (!user()) charts.show().catch(refuse);
  watch();
}

start();
