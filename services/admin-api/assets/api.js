/** The HTTP API as the dashboard uses it, and the token, which lives as long as the browser tab. */

/** The birders' page keeps its token under the same key: one log-in serves both in one tab. */
const TOKEN_KEY = "dipper.token";

/** A refusal by the server, as RFC 9457 (application/problem+json) describes it. */
export class Problem extends Error {
  /**
   * @param {number} status the HTTP status; 0 when there was no answer at all
   * @param {{title?: string, detail?: string, errors?: {pointer: string, detail: string}[]}} body
   */
  constructor(status, body) {
    super(body.detail || body.title || "Something went wrong.");
    this.status = status;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
  }
}

/** @returns {string | null} the token of whoever is logged in */
export function token() {
  return sessionStorage.getItem(TOKEN_KEY);
}

/**
 * Keeps a token, or with `null` forgets it.
 *
 * @param {string | null} value
 */
export function keepToken(value) {
  if (value === null) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, value);
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
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const request = { method, headers, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) };
  const { response, text } = await send(path, request);
  if (response.ok) return parse(text);
  throw new Problem(response.status, parse(text) ?? {});
}

/**
 * Fetches a file as whoever is logged in.
 *
 * @param {string} path
 * @returns {Promise<Blob>}
 */
export async function blob(path) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${token()}` } });
  if (!response.ok) throw new Problem(response.status, {});
  return response.blob();
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
