/**
 * The birders' page: which view is shown, for whom, and the footer. Each view lives in
 * its own module and gets an `AbortSignal` that fires when the reader goes elsewhere.
 */

import { showAccount, showData, startAccount } from "./account.js";
import { call, Problem, session } from "./api.js";
import { startChoices } from "./choices.js";
import { startDevice } from "./device.js";
import { byId, el, hush, say, warn } from "./dom.js";
import { showErasure } from "./erasure.js";
import { startExport } from "./export.js";
import { startFactor } from "./factor.js";
import { showFeed, startFeed } from "./feed.js";
import { addPasswordToggles } from "./forms.js";
import { showConfirm, startEntrance } from "./entrance.js";
import { LANGUAGES, language, region, setLanguage, t, translatePage } from "./language.js";
import { showLists, startLists } from "./lists.js";
import { showCorrection, showNewTick, startNewTick } from "./new-tick.js";
import { showReset, startPassword } from "./password.js";
import { showPhoto } from "./photo.js";
import { startProof } from "./prove.js";
import { startReport } from "./report.js";
import { startSender } from "./sender.js";
import { startSessions } from "./sessions.js";
import { showTicks, startTicks } from "./ticks.js";

const FIGURES_EVERY = 15_000;

/**
 * The views: the text that is the title of the document, who may see it, and what fills it. Two may share a section of the page.
 *
 * @type {Record<string, {title: string, member?: true, nav?: string, section?: string, show?: (signal: AbortSignal, argument: string) => void | Promise<void>}>}
 */
const VIEWS = {
  feed: { title: "feed.title", show: showFeed },
  photo: { title: "photo.title", show: showPhoto },
  register: { title: "register" },
  mailed: { title: "title.mailed" },
  confirm: { title: "title.confirm", show: showConfirm },
  login: { title: "login" },
  forgotten: { title: "forgotten.title" },
  reset: { title: "reset.title", show: showReset },
  new: { title: "nav.new", member: true, show: showNewTick },
  edit: { title: "edit.title", member: true, nav: "ticks", section: "new", show: showCorrection },
  ticks: { title: "nav.ticks", member: true, show: showTicks },
  lists: { title: "lists.title", member: true, show: showLists },
  account: { title: "account.title", member: true, show: showAccount },
  data: { title: "data.title", member: true, nav: "account", show: showData },
  erasure: { title: "erasure.title", show: showErasure },
};

let current = new AbortController();
let currentName = "";

/** What the address asks for: `#view` or `#view/argument`. */
function requested() {
  // The link in a mail brings its token in the query: most confirm an address, whatever the fragment says.
  if (new URLSearchParams(location.search).has("token")) return [location.hash === "#reset" ? "reset" : "confirm", ""];
  const [name, argument = ""] = location.hash.slice(1).split("/");
  if (!Object.hasOwn(VIEWS, name)) return ["feed", ""];
  return VIEWS[name].member && !session.active ? ["login", ""] : [name, argument];
}

/** @returns {string} the section of the page that shows a view */
function sectionOf(name) {
  return VIEWS[name].section ?? name;
}

/** Shows the view that the address asks for. */
async function route() {
  const [name, argument] = requested();
  const view = VIEWS[name];
  current.abort();
  current = new AbortController();
  const { signal } = current;
  for (const section of document.querySelectorAll("[data-view]")) section.hidden = section.dataset.view !== sectionOf(name);
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (link.dataset.nav === (view.nav ?? name)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${t(view.title)} · Dipper`;
  moveTo(name);
  try {
    await view.show?.(signal, argument);
  } catch (error) {
    if (!signal.aborted) explain(error);
  }
}

/** Takes the reader, also one who listens, to the top of a new view. */
function moveTo(name) {
  const first = currentName === "";
  if (name === currentName) return;
  // A warning was about the view before; a success is often told while moving on.
  if (byId("notice-alert").textContent) hush();
  currentName = name;
  if (first) return;
  window.scrollTo(0, 0);
  document.querySelector(`[data-view="${sectionOf(name)}"] h1`).focus({ preventScroll: true });
}

/** Says why a view could not be filled. */
function explain(error) {
  if (!(error instanceof Problem)) {
    warn(t("problem.page"));
    throw error;
  }
  // That one is logged out, or offline, is said already.
  if (error.status === 401 || error.status === 0) return;
  warn(error.message);
}

/** Shows what is for members or for guests only. */
function showAudience() {
  for (const element of document.querySelectorAll("[data-for=member]")) element.hidden = !session.active;
  for (const element of document.querySelectorAll("[data-for=guest]")) element.hidden = session.active;
}

/** A session that ends by itself (elsewhere, or by its age) must not pass unnoticed. */
function onSessionChange() {
  showAudience();
  if (session.active) return;
  if (VIEWS[currentName]?.member && !location.hash.startsWith("#erasure/")) {
    say(t("logged-out"));
    location.hash = "#login";
  } else if (currentName === "feed") {
    route();
  }
}

/** The fragment names the view, so the skip link cannot use it. */
function skip(event) {
  event.preventDefault();
  byId("main").focus();
}

/** Fills the public figures of the footer. */
async function showFigures() {
  try {
    const figures = await call("GET", "/api/v1/statistics/overview");
    for (const place of document.querySelectorAll("[data-figure]")) {
      const value = figures[place.dataset.figure];
      place.textContent = typeof value === "number" ? value.toLocaleString(region) : "–";
    }
    byId("figures").hidden = false;
  } catch {
    // Figures are an extra: without them the footer is just shorter.
    byId("figures").hidden = true;
  }
}

/** Shows the links to the mail catcher where there is one. */
async function showMailbox() {
  try {
    await call("GET", "/dev/mail/messages?limit=1");
    for (const element of document.querySelectorAll("[data-for=dev]")) element.hidden = false;
  } catch {
    // No mail catcher: this is not a local instance.
  }
}

/** One button for each other language; the choice goes to the mails, too. */
function showLanguages() {
  const others = Object.entries(LANGUAGES).filter(([name]) => name !== language);
  const button = ([name, text]) => el("button", { type: "button", class: "link", lang: name, on: { click: () => switchTo(name) } }, text);
  byId("languages").replaceChildren(...others.map(button));
}

async function switchTo(name) {
  const body = { preferences: { locale: name } };
  // The page changes also when the server cannot be told.
  if (session.active) await call("PATCH", "/api/v1/users/me", { body }).catch(() => {});
  setLanguage(name);
}

function start() {
  translatePage();
  showLanguages();
  startDevice();
  addPasswordToggles();
  startEntrance();
  startPassword();
  startFactor();
  startProof();
  startNewTick();
  startFeed();
  startTicks();
  startLists();
  startReport();
  startSessions();
  startSender();
  startAccount();
  startChoices();
  startExport();
  byId("skip").addEventListener("click", skip);
  byId("notice-close").addEventListener("click", hush);
  session.addEventListener("change", onSessionChange);
  window.addEventListener("hashchange", route);
  showAudience();
  route();
  showMailbox();
  showFigures();
  setInterval(() => document.hidden || showFigures(), FIGURES_EVERY);
}

start();
