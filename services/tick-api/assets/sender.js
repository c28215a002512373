/**
 * Sends the waiting ticks, one after the other: the photo, then the tick. Whatever the line does, a tick is sent with the
 * same id and body again until there is an answer, so that a lost answer never makes a second one.
 */

import { call, isPassing, Problem, session, uploadImage } from "./api.js";
import { put, remove, waitingOf } from "./queue.js";

const FIRST_PAUSE = 2000;
const LONGEST_PAUSE = 60_000;

/** Fires `progress` with `{id, share}` while a photo is on its way, `sent` with the tick, `paused` when there was no answer. */
export const sender = new EventTarget();

let running = false;
let again = false;
let pause = FIRST_PAUSE;
let timer = 0;

/** Sends from now on whenever there is a reason to think that it could work. */
export function startSender() {
  window.addEventListener("online", sendSoon);
  document.addEventListener("visibilitychange", () => document.hidden || sendSoon());
  session.addEventListener("change", sendSoon);
  sendSoon();
}

/** Tries now; the answer comes as events. */
export function sendSoon() {
  pause = FIRST_PAUSE;
  again = running;
  if (!running) send();
}

async function send() {
  clearTimeout(timer);
  running = true;
  try {
    const done = await alone(sendAll);
    if (!done) {
      tell("paused");
      later();
    }
  } finally {
    running = false;
  }
  if (again) sendSoon();
}

/** Two tabs must not send the same photo at the same time. Where there are no locks, the ids are enough. */
function alone(work) {
  if (!navigator.locks) return work();
  return navigator.locks.request("dipper.sender", { ifAvailable: true }, (lock) => (lock ? work() : false));
}

function later() {
  timer = setTimeout(send, pause);
  pause = Math.min(pause * 2, LONGEST_PAUSE);
}

/** @returns {Promise<boolean>} whether nothing is left that could be sent; who comes online hears of that */
async function sendAll() {
  if (!session.active || !navigator.onLine) return true;
  for (const waiting of await waitingOf(session.user)) {
    if (waiting.failure) continue;
    try {
      await sendOne(waiting);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!session.active) return true;
      if (isPassing(error)) return false;
      await put({ ...waiting, failure: reason(error) });
    }
  }
  return true;
}

async function sendOne(waiting) {
  tell("progress", { id: waiting.id, share: 0 });
  await resolveSpecies(waiting);
  const wasThere = waiting.imageUrl !== null;
  if (!wasThere) {
    const progress = (share) => tell("progress", { id: waiting.id, share });
    const uploaded = await uploadImage(waiting.photo, progress);
    waiting.imageUrl = uploaded.url;
    waiting.isDuplicate = Boolean(uploaded.duplicate_of);
    await put(waiting);
  }
  const body = { id: waiting.id, image: { url: waiting.imageUrl }, ...waiting.tick };
  let tick;
  try {
    tick = await call("POST", "/api/v1/ticks", { body });
  } catch (error) {
    if (!wasThere || !isAboutPhoto(error)) throw error;
    // It waited too long for its tick and is gone there, but not here.
    waiting.imageUrl = null;
    return sendOne(waiting);
  }
  await remove(waiting.id);
  tell("sent", { tick, isDuplicate: waiting.isDuplicate });
}

function isAboutPhoto(error) {
  return error instanceof Problem && error.errors.some(({ pointer }) => pointer.startsWith("/image"));
}

/** A name that was typed while the list could not be asked. */
async function resolveSpecies(waiting) {
  const { name, resolved } = waiting.species;
  if (resolved) return;
  const { items } = await call("GET", `/api/v1/species?${new URLSearchParams({ q: name, limit: "8" })}`);
  const typed = name.toLowerCase();
  const exact = items.find((item) => [item.english, item.scientific].some((one) => one?.toLowerCase() === typed));
  const found = exact ?? (items.length === 1 ? items[0] : null);
  if (!found) throw new Problem(422, { type: "unknown-species" }, null);
  waiting.tick.species = { id: found.id };
  waiting.species = { name: found.english || found.scientific, resolved: true };
  await put(waiting);
}

function reason(error) {
  const text = error.errors.map(({ detail }) => detail).join(" ") || error.message;
  return { key: `problem.${error.kind}`, text };
}

function tell(type, detail) {
  sender.dispatchEvent(new CustomEvent(type, { detail }));
}
