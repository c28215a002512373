/**
 * A new tick: choose the photo and the species. It goes into the queue, from where it is sent, now or later. The same form
 * corrects a tick that was sent; that needs a connection.
 */

import { call, connection, newId, session } from "./api.js";
import { byId, say } from "./dom.js";
import { clearErrors, onSubmit, showAtField } from "./forms.js";
import { t } from "./language.js";
import { placeIn, startPlace } from "./place.js";
import { put, remove } from "./queue.js";
import { sendSoon } from "./sender.js";
import { SpeciesField } from "./species.js";

const MAX_BYTES = 20 * 1024 * 1024;
const TYPES = ["image/jpeg", "image/png", "image/webp"];

/**
 * What is being ticked; `changes` names the waiting tick that it takes the place of, `corrects` the sent one.
 *
 * @type {{photo: Blob | null, preview: string, changes: string | null, corrects: string | null}}
 */
let draft = emptyDraft();
/** @type {SpeciesField} */
let speciesField;

function emptyDraft() {
  return { photo: null, preview: "", changes: null, corrects: null };
}

/** Wires the form. */
export function startNewTick() {
  speciesField = new SpeciesField(byId("species"), byId("species-list"), byId("species-status"));
  for (const id of ["photo-file", "photo-camera"]) {
    byId(id).addEventListener("change", (event) => choosePhoto(event.target));
  }
  startPlace();
  onSubmit(byId("tick-form"), (data) => (draft.corrects ? correct(data) : keep(data)));
}

/** Shows the form; what was filled in before is still there. */
export function showNewTick() {
  if (draft.corrects) clearForm();
  const today = localToday();
  byId("seen-on").max = today;
  byId("seen-on").value ||= today;
}

/**
 * Shows the form with a tick that was sent.
 *
 * @param {AbortSignal} signal
 * @param {string} id
 */
export async function showCorrection(signal, id) {
  clearForm();
  draft.corrects = id;
  nameForm();
  const tick = await call("GET", `/api/v1/ticks/${id}`, { signal });
  byId("seen-on").max = localToday();
  fill(tick, tick.species?.english || tick.species?.scientific || "");
}

/**
 * Puts a waiting tick back into the form, to be changed.
 *
 * @param {import("./queue.js").Waiting} waiting
 */
export function edit(waiting) {
  clearForm();
  setPhoto(waiting.photo);
  draft.changes = waiting.id;
  fill(waiting.tick, waiting.species.name);
}

/** Puts what is known of a tick into the form. */
function fill(tick, speciesName) {
  speciesField.restore(tick.species?.id, speciesName);
  byId("seen-on").value = tick.seen_on ?? "";
  byId("count").value = tick.count ?? "";
  byId("note").value = tick.note ?? "";
  byId("place").open = Boolean(tick.place);
  byId("place-lat").value = tick.place?.lat ?? "";
  byId("place-lon").value = tick.place?.lon ?? "";
  byId("place-visibility").value = tick.place?.visibility ?? "obscured";
}

/** Today where the birder is, not in UTC. */
function localToday() {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

function photoField() {
  return byId("photo-file").closest("[data-pointer]");
}

function choosePhoto(input) {
  const photo = input.files[0];
  if (!photo) return;
  // The same file chosen again must count as a change.
  input.value = "";
  const reason = refusal(photo);
  if (reason) showAtField(photoField(), reason);
  else setPhoto(photo);
}

function setPhoto(photo) {
  dropPreview();
  draft.photo = photo;
  draft.preview = URL.createObjectURL(photo);
  byId("photo-preview").src = draft.preview;
  byId("photo-preview").hidden = false;
  byId("photo-choose").textContent = t("new.choose-other");
}

/** @returns {string} why this file cannot be sent; empty when it can */
function refusal(photo) {
  if (!TYPES.includes(photo.type)) return t("new.photo.type");
  return photo.size > MAX_BYTES ? t("new.photo.large") : "";
}

function dropPreview() {
  if (draft.preview) URL.revokeObjectURL(draft.preview);
  byId("photo-preview").hidden = true;
  byId("photo-preview").removeAttribute("src");
}

/** Says which of the two the form is for. A photo cannot be corrected: another photo is another tick. */
function nameForm() {
  const isCorrection = Boolean(draft.corrects);
  photoField().hidden = isCorrection;
  byId("new-title").textContent = t(isCorrection ? "edit.title" : "nav.new");
  byId("tick-send").textContent = t(isCorrection ? "save" : "new.send");
}

/** Says so when only one of the place's numbers is there. */
function isHalfPlaced(data) {
  if (Boolean(data.get("lat")) === Boolean(data.get("lon"))) return false;
  refuse(byId("place-lat").closest("[data-pointer]"), "place-lat", t("place.half"));
  return true;
}

async function correct(data) {
  if (isHalfPlaced(data)) return;
  // Nobody looks a name up later.
  if (speciesField.name && !speciesField.chosen) {
    return refuse(byId("species").closest("[data-pointer]"), "species", t("new.species.choose"));
  }
  const emptied = { species: null, seen_on: null, count: null, place: null, note: null };
  await call("PATCH", `/api/v1/ticks/${draft.corrects}`, { body: { ...emptied, ...tickIn(data) } });
  clearForm();
  location.hash = "#ticks";
  say(t("edit.saved"));
}

async function keep(data) {
  if (!draft.photo) return refuse(photoField(), "photo-file", t("new.photo.missing"));
  if (isHalfPlaced(data)) return;
  try {
    await put(waiting(data));
    // Browsers clear what was not asked to stay when the disk gets full.
    navigator.storage?.persist?.();
    if (draft.changes) await remove(draft.changes);
  } catch (error) {
    if (error?.name !== "QuotaExceededError") throw error;
    return refuse(photoField(), "photo-file", t("new.photo.full"));
  }
  clearForm();
  if (connection.isLost) say(t("new.kept"));
  location.hash = "#ticks";
  sendSoon();
}

function refuse(field, id, text) {
  showAtField(field, text);
  byId(id).focus({ preventScroll: true });
  field.scrollIntoView({ block: "center" });
}

/** @returns {import("./queue.js").Waiting} the tick as it waits; also a changed one is a new one */
function waiting(data) {
  const name = speciesField.name;
  return {
    id: newId(),
    owner: session.user,
    at: Date.now(),
    photo: draft.photo,
    imageUrl: null,
    tick: tickIn(data),
    species: { name, resolved: !name || speciesField.chosen !== null },
    failure: null,
  };
}

/** The request without id and image: optional fields that are empty are left out. */
function tickIn(data) {
  const tick = {};
  if (speciesField.chosen) tick.species = { id: speciesField.chosen.id };
  if (data.get("seen_on")) tick.seen_on = data.get("seen_on");
  if (data.get("count")) tick.count = Number(data.get("count"));
  const place = placeIn(data);
  if (place) tick.place = place;
  const note = String(data.get("note")).trim();
  if (note) tick.note = note;
  return tick;
}

/** Empties the form. The next person at this screen must not see it half-filled. */
export function clearForm() {
  dropPreview();
  draft = emptyDraft();
  const form = byId("tick-form");
  form.reset();
  clearErrors(form);
  speciesField.reset();
  byId("place").open = false;
  byId("photo-choose").textContent = t("new.choose");
  byId("seen-on").value = localToday();
  nameForm();
}
