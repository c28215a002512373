/** The own ticks that are not sent yet: waiting, being sent, or refused, each with what to do about it. */

import { connection, session } from "./api.js";
import { ask, byId, el } from "./dom.js";
import { t, tOr } from "./language.js";
import { edit } from "./new-tick.js";
import { changes, put, remove, waitingOf } from "./queue.js";
import { sender, sendSoon } from "./sender.js";

/** The addresses of the photos that are shown; they hold memory until they are given back. */
let previews = [];

/**
 * Keeps the list up to date while the view is shown.
 *
 * @param {AbortSignal} signal
 */
export async function showUnsent(signal) {
  const redraw = () => signal.aborted || draw();
  changes.addEventListener("change", redraw, { signal });
  connection.addEventListener("change", redraw, { signal });
  sender.addEventListener("paused", redraw, { signal });
  sender.addEventListener("progress", ({ detail }) => showProgress(detail), { signal });
  signal.addEventListener("abort", clear, { once: true });
  await draw();
}

function clear() {
  previews.forEach((address) => URL.revokeObjectURL(address));
  previews = [];
  byId("unsent-list").replaceChildren();
}

async function draw() {
  const waiting = session.active ? await waitingOf(session.user) : [];
  clear();
  byId("unsent").hidden = waiting.length === 0;
  byId("unsent-list").append(...waiting.map(row));
}

function row(waiting) {
  const { id, failure } = waiting;
  const name = waiting.species.name || t("species.none");
  const address = URL.createObjectURL(waiting.photo);
  previews.push(address);
  const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": t("unsent.progress") });
  const state = el("p", { class: failure ? "error" : "state" }, failure ? said(failure) : stateText());
  return el("li", { class: "unsent", "data-id": id, "data-state": failure ? "failed" : "waiting" },
    el("img", { src: address, alt: "", width: 72, height: 72 }),
    el("div", {}, el("p", { class: "unsent-name" }, name), state, bar, failure && actions(waiting, name)));
}

function stateText() {
  return t(connection.isLost ? "unsent.offline" : "unsent.waiting");
}

function said({ key, text }) {
  return tOr(key, text);
}

function actions(waiting, name) {
  const button = (key, act, kind = "quiet small") =>
    el("button", { type: "button", class: kind, "aria-label": `${t(key)}: ${name}`, on: { click: act } }, t(key));
  return el("p", { class: "actions" },
    button("unsent.edit", () => change(waiting), "small"),
    button("unsent.again", () => retry(waiting)),
    button("unsent.remove", () => giveUp(waiting, name)));
}

async function change(waiting) {
  await edit(waiting);
  location.hash = "#new";
}

async function retry(waiting) {
  await put({ ...waiting, failure: null });
  sendSoon();
}

async function giveUp(waiting, name) {
  if (await ask(t("unsent.remove.question"), t("unsent.remove.detail", { name }), t("unsent.remove"))) await remove(waiting.id);
}

function showProgress({ id, share }) {
  const item = byId("unsent-list").querySelector(`[data-id="${id}"]`);
  if (!item) return;
  const bar = item.querySelector("progress");
  item.dataset.state = "sending";
  bar.hidden = false;
  bar.value = share;
  item.querySelector(".state").textContent = t("unsent.sending");
}
