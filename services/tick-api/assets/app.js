/**
 * The birders' page: which view is shown, for whom, and the footer. Each view lives in
 * its own module and gets an `AbortSignal` that fires when the reader goes elsewhere.
 */

import { showAccount, startAccount } from "./account.js";
import { call, Problem, session } from "./api.js";
import { startChoices } from "./choices.js";
import { byId, hush, say, warn } from "./dom.js";
import { showErasure } from "./erasure.js";
import { startExport } from "./export.js";
import { showFeed, startFeed } from "./feed.js";
import { addPasswordToggles } from "./forms.js";
import { showConfirm, startEntrance } from "./entrance.js";
import { showNewTick, startNewTick } from "./new-tick.js";
import { showTicks, startTicks } from "./ticks.js";

const FIGURES_EVERY = 15_000;

/**
 * The views: the title of the document, who may see it, and what fills it.
 *
 * @type {Record<string, {title: string, member?: true, show?: (signal: AbortSignal, argument: string) => void | Promise<void>}>}
 */
const VIEWS = {
  feed: { title: "Pictures", show: showFeed },
  register: { title: "Register" },
  mailed: { title: "Look in your mail" },
  confirm: { title: "Confirm", show: showConfirm },
  login: { title: "Log in" },
  new: { title: "New tick", member: true, show: showNewTick },
  ticks: { title: "My ticks", member: true, show: showTicks },
  account: { title: "My account", member: true, show: showAccount },
  erasure: { title: "Your erasure", show: showErasure },
};

let current = new AbortController();
let currentName = "";

/** What the address asks for: `#view` or `#view/argument`. */
function requested() {
  // The link in the mail brings its token in the query, whatever its fragment says.
  if (new URLSearchParams(location.search).has("token")) return ["confirm", ""];
  const [name, argument = ""] = location.hash.slice(1).split("/");
  if (!Object.hasOwn(VIEWS, name)) return ["feed", ""];
  return VIEWS[name].member && !session.active ? ["login", ""] : [name, argument];
}

/** Shows the view that the address asks for. */
async function route() {
  const [name, argument] = requested();
  const view = VIEWS[name];
  current.abort();
  current = new AbortController();
  const { signal } = current;
  for (const section of document.querySelectorAll("[data-view]")) section.hidden = section.dataset.view !== name;
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (link.dataset.nav === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view.title} · Dipper`;
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
  document.querySelector(`[data-view="${name}"] h1`).focus({ preventScroll: true });
}

/** Says why a view could not be filled. */
function explain(error) {
  if (!(error instanceof Problem)) {
    warn("This page made a mistake. Please load it again.");
    throw error;
  }
  if (error.status === 401) return;
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
    say("You are logged out.");
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
      place.textContent = typeof value === "number" ? value.toLocaleString("en-GB") : "–";
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

function start() {
  addPasswordToggles();
  startEntrance();
  startNewTick();
  startFeed();
  startTicks();
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
