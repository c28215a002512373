/** The HTTP API as the dashboard uses it, and who is logged in; the token is in a cookie that no script can read. */

/** Also the birders' page's: a browser has one session here, and one log-in serves both. */
const SESSION_KEY = "dipper.session";

/** A refusal by the server, as RFC 9457 (application/problem+json) describes it. */
export class Problem extends Error {
  /**
   * @param {number} status the HTTP status; 0 when there was no answer at all
   * @param {{type?: string, title?: string, detail?: string, errors?: {pointer: string, detail: string}[]}} body
   */
  constructor(status, body) {
    super(body.detail || body.title || "Something went wrong.");
    this.kind = (body.type ?? "").split("/").at(-1);
    this.status = status;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
  }
}

/** @returns {string | null} the id of whoever is logged in */
export function user() {
  try {
    return JSON.parse(localStorage.getItem(SESSION_KEY))?.user ?? null;
  } catch {
    return null;
  }
}

/**
 * Keeps who is logged in, or with `null` forgets it.
 *
 * @param {string | null} id
 */
export function keepUser(id) {
  if (id === null) localStorage.removeItem(SESSION_KEY);
  else localStorage.setItem(SESSION_KEY, JSON.stringify({ user: id }));
}

/**
 * Calls the API and gives back the parsed answer, or throws a {@link Problem}.
 *
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<any>} the JSON body; `null` when there is none
 */
export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const request = { method, headers, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) };
  const { response, text } = await send(path, request);
  if (response.ok) return parse(text);
  throw new Problem(response.status, parse(text) ?? {});
}

/** Sends and reads to the end: a connection may break in either half. */
async function send(path, request) {
  try {
    const response = await fetch(path, request);
    return { response, text: await response.text() };
  } catch {
    throw new Problem(0, { detail: "No answer. Check your connection." });
  }
}

/** @returns {any} the JSON in `text`, or `null` when it is none */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
