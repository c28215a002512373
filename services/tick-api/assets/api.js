/**
 * The public HTTP API as this page uses it: one function to call it, one to send a
 * photo with progress, and the session.
 */

import { region, t, tOr } from "./language.js";

/** Also the dashboard's: a browser has one session here, whose token is in a cookie that no script can read. */
const SESSION_KEY = "dipper.session";

/** A refusal by the server, as RFC 9457 (application/problem+json) describes it. */
export class Problem extends Error {
  /**
   * @param {number} status the HTTP status; 0 when there was no answer at all
   * @param {{type?: string, title?: string, detail?: string, errors?: {pointer: string, detail: string}[]}} body
   * @param {string | null} retryAfter the header of the same name
   */
  constructor(status, body, retryAfter) {
    const kind = (body.type ?? "").split("/").at(-1);
    super(tOr(`problem.${kind}`, body.detail || body.title || t("problem.unknown")));
    this.kind = kind;
    this.status = status;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.retryAfter = Number.parseInt(retryAfter ?? "", 10) || 0;
    if (status === 429) {
      this.message = this.retryAfter ? t("problem.wait", { count: this.retryAfter }) : t("problem.wait-a-little");
    } else if (kind === "suspended" && this.retryAfter) {
      const end = new Date(Date.now() + this.retryAfter * 1000);
      this.message = t("problem.suspended-until", { date: end.toLocaleDateString(region, { dateStyle: "long" }) });
    }
  }
}

/** Whether there is a connection: a browser knows its device's, not whether anybody answers. Fires `change`. */
class Connection extends EventTarget {
  #isLost = false;

  constructor() {
    super();
    for (const type of ["online", "offline"]) window.addEventListener(type, () => this.#changed());
  }

  /** @returns {boolean} whether nothing comes through */
  get isLost() {
    return this.#isLost || !navigator.onLine;
  }

  /** @param {boolean} isLost what became of the last request */
  heard(isLost) {
    if (isLost === this.#isLost) return;
    this.#isLost = isLost;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** The connection to the server. */
export const connection = new Connection();

/** The one problem that is not the server's: no answer came. */
function unreachable() {
  connection.heard(true);
  return new Problem(0, { type: "unreachable" }, null);
}

/**
 * Whether the same request may well succeed later: no answer, too busy, out of order.
 *
 * @param {Problem} problem
 */
export function isPassing({ status }) {
  return status === 0 || status === 429 || status >= 500;
}

/**
 * Who is logged in on this device, until they log out or the server ends it: an app that was closed must know whose waiting
 * ticks it has. Fires `change` when somebody logs in or out, also in another tab.
 */
class Session extends EventTarget {
  #stored = stored();

  constructor() {
    super();
    window.addEventListener("storage", ({ key }) => key === SESSION_KEY && this.#changed());
  }

  /** @returns {string | null} the user's id */
  get user() {
    return this.#stored?.user ?? null;
  }

  /** @returns {boolean} whether somebody is logged in */
  get active() {
    return this.user !== null;
  }

  /** @param {{user: {id: string}}} answer of a fresh log-in */
  begin({ user }) {
    localStorage.setItem(SESSION_KEY, JSON.stringify({ user: user.id }));
    this.#changed();
  }

  /** Forgets who is logged in; the server is told by whoever calls this. */
  end() {
    if (!this.active) return;
    localStorage.removeItem(SESSION_KEY);
    this.#changed();
  }

  #changed() {
    this.#stored = stored();
    this.dispatchEvent(new Event("change"));
  }
}

function stored() {
  return parse(localStorage.getItem(SESSION_KEY) ?? "");
}

/** The session of this device. */
export const session = new Session();

/**
 * @typedef {object} CallOptions
 * @property {unknown} [body] sent as JSON
 * @property {AbortSignal} [signal] gives the call up
 * @property {boolean} [keepSession] a 401 is about the body (a wrong password), not about the session
 */

/**
 * Calls the API and gives back the parsed answer, or throws a {@link Problem}.
 *
 * @param {string} method the HTTP method
 * @param {string} path path and query, on this origin
 * @param {CallOptions} [options]
 * @returns {Promise<any>} the JSON body; `null` when there is none
 */
export async function call(method, path, options = {}) {
  const headers = { Accept: "application/json" };
  const { user } = session;
  const request = { method, headers, signal: options.signal, cache: "no-store" };
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(options.body);
  }
  const { response, text } = await send(path, request);
  if (response.ok) return parse(text);
  if (response.status === 401 && !options.keepSession) endIfCurrent(user);
  throw new Problem(response.status, parse(text) ?? {}, response.headers.get("Retry-After"));
}

/** Sends and reads to the end: a connection may break in either half. */
async function send(path, request) {
  try {
    const response = await fetch(path, request);
    const text = await response.text();
    connection.heard(false);
    return { response, text };
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
}

/** A late 401 for one person must not log out whoever logged in since. */
function endIfCurrent(user) {
  if (session.user === user) session.end();
}

/** @returns {any} the JSON in `text`, or `null` when it is none */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Sends a photo as it is. `fetch` reports no upload progress, so this uses XMLHttpRequest.
 *
 * @param {Blob} file the photo
 * @param {(share: number) => void} onProgress told the share that was sent, 0 to 1
 * @returns {Promise<{id: string, url: string, width: number, height: number, duplicate_of?: string}>}
 */
export function uploadImage(file, onProgress) {
  return new Promise((resolve, reject) => {
    const { user } = session;
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/images");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", file.type);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("load", () => {
      connection.heard(false);
      const body = parse(request.responseText);
      if (request.status === 201 && body) return resolve(body);
      if (request.status === 401) endIfCurrent(user);
      reject(new Problem(request.status, body ?? {}, request.getResponseHeader("Retry-After")));
    });
    request.send(file);
  });
}

/**
 * Asks again and again, politely: later each time, and not while the page is hidden.
 *
 * @template T
 * @param {() => Promise<T>} ask one question to the server
 * @param {(answer: T) => boolean} enough whether this answer ends the asking; also the place to show it
 * @param {AbortSignal} signal ends the asking
 * @returns {Promise<void>} settles when the answer was enough or the signal fired
 */
export async function askUntil(ask, enough, signal) {
  for (let pause = 1000; !signal.aborted; pause = Math.min(pause * 1.5, 30_000)) {
    if (!document.hidden && (await asked(ask, enough, signal))) return;
    await sleep(pause, signal);
  }
}

/** One try; an outage or a busy server is a reason to go on, a refusal is not. */
async function asked(ask, enough, signal) {
  try {
    const answer = await ask();
    return signal.aborted || enough(answer);
  } catch (error) {
    if (signal.aborted) return true;
    if (!(error instanceof Problem && isPassing(error))) throw error;
    return false;
  }
}

/**
 * Waits, but not longer than the signal allows, and no longer than the page is hidden.
 *
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const onVisible = () => !document.hidden && done();
    const timer = setTimeout(done, milliseconds);
    document.addEventListener("visibilitychange", onVisible);
    signal.addEventListener("abort", done);
  });
}

/** @returns {string} a random UUID; also where the page is not in a secure context */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
