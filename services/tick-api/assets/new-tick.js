/** A new tick: choose the photo and the species, send the photo, then the tick. */

import { call, newId, Problem, uploadImage } from "./api.js";
import { byId, say } from "./dom.js";
import { clearErrors, onSubmit, showAtField } from "./forms.js";
import { SpeciesField } from "./species.js";

const MAX_BYTES = 20 * 1024 * 1024;
const TYPES = ["image/jpeg", "image/png", "image/webp"];

/**
 * What is being ticked. The id is made once: sent again after a lost answer, it is still
 * one tick. A photo that arrived is not sent a second time.
 *
 * @type {{id: string, photo: File | null, uploaded: {url: string} | null, preview: string}}
 */
let draft = emptyDraft();
/** @type {SpeciesField} */
let speciesField;
let leaving = new AbortController().signal;

function emptyDraft() {
  return { id: newId(), photo: null, uploaded: null, preview: "" };
}

/** Wires the form. */
export function startNewTick() {
  speciesField = new SpeciesField(byId("species"), byId("species-list"), byId("species-status"));
  for (const id of ["photo-file", "photo-camera"]) {
    byId(id).addEventListener("change", (event) => choosePhoto(event.target));
  }
  onSubmit(byId("tick-form"), send);
}

/**
 * Shows the form; what was filled in before is still there.
 *
 * @param {AbortSignal} signal
 */
export function showNewTick(signal) {
  leaving = signal;
  const today = localToday();
  byId("seen-on").max = today;
  byId("seen-on").value ||= today;
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
  if (reason) return showAtField(photoField(), reason);
  dropPreview();
  draft.photo = photo;
  draft.uploaded = null;
  draft.preview = URL.createObjectURL(photo);
  byId("photo-preview").src = draft.preview;
  byId("photo-preview").hidden = false;
  byId("photo-choose").textContent = "Choose another photo";
}

/** @returns {string} why this file cannot be sent; empty when it can */
function refusal(photo) {
  if (!TYPES.includes(photo.type)) return "Please choose a JPEG, PNG or WebP picture.";
  return photo.size > MAX_BYTES ? "This photo is larger than 20 MB." : "";
}

function dropPreview() {
  if (draft.preview) URL.revokeObjectURL(draft.preview);
  byId("photo-preview").hidden = true;
  byId("photo-preview").removeAttribute("src");
}

async function send(data) {
  if (!draft.photo) {
    showAtField(photoField(), "Please choose a photo.");
    byId("photo-file").focus({ preventScroll: true });
    photoField().scrollIntoView({ block: "center" });
    return;
  }
  draft.uploaded ??= await upload();
  const tick = await call("POST", "/api/v1/ticks", { body: tickBody(data) }).catch(explainConflict);
  clearForm();
  say(`Ticked${tick.species?.english ? `: ${tick.species.english}` : ""}. Its score will be here soon.`);
  // Somebody who went elsewhere meanwhile is not pulled back.
  if (!leaving.aborted) location.hash = "#ticks";
}

async function upload() {
  const bar = byId("upload-bar");
  const text = byId("upload-text");
  bar.value = 0;
  text.textContent = "Sending the photo";
  byId("upload").hidden = false;
  const progress = (share) => {
    bar.value = share;
    text.textContent = share < 1 ? `Sending the photo: ${Math.floor(share * 100)} %` : "Looking at the photo";
  };
  try {
    return await uploadImage(draft.photo, progress, leaving);
  } catch (error) {
    showAtPhoto(error);
    throw error;
  } finally {
    byId("upload").hidden = true;
  }
}

/** Whatever is wrong with an upload is wrong with the photo, if it is not the connection or the log-in. */
function showAtPhoto(error) {
  if (error instanceof Problem && [400, 413, 415, 422].includes(error.status)) {
    error.errors = [{ pointer: "/image", detail: error.errors[0]?.detail ?? error.message }];
  }
}

/** The request: optional fields that are empty are left out. */
function tickBody(data) {
  const body = { id: draft.id, image: { url: draft.uploaded.url } };
  if (speciesField.chosen) body.species = { id: speciesField.chosen.id };
  if (data.get("seen_on")) body.seen_on = data.get("seen_on");
  if (data.get("count")) body.count = Number(data.get("count"));
  const note = String(data.get("note")).trim();
  if (note) body.note = note;
  return body;
}

/** 409: an earlier try did arrive, and the form was changed since. */
function explainConflict(error) {
  if (error instanceof Problem && error.status === 409) {
    draft.id = newId();
    error.message = "An earlier version of this tick did arrive: look at My ticks before you send this one.";
  }
  throw error;
}

function clearForm() {
  dropPreview();
  draft = emptyDraft();
  const form = byId("tick-form");
  form.reset();
  clearErrors(form);
  speciesField.reset();
  byId("photo-choose").textContent = "Choose a photo";
  byId("seen-on").value = localToday();
}

/** Forgets a half-filled form: the next person at this screen must not see it. */
export function forgetDraft() {
  clearForm();
}
