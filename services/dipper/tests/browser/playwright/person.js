// Somebody with a browser of their own, as the scripts need them.
const fs = require("node:fs");
const path = require("node:path");
const assert = require("node:assert/strict");
const { chromium } = require("playwright-core");

const PATIENCE = 30_000;
const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const PASSWORD = "the river is cold in may";

/** The browser that is installed here. */
function chromiumPath() {
  const folders = process.env.PATH.split(path.delimiter);
  const files = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  const found = files.find((file) => fs.existsSync(file));
  assert(found, "no Chromium on the PATH");
  return found;
}

const launchOptions = { executablePath: chromiumPath(), args: ["--no-sandbox", "--disable-gpu"] };

/** Asks until the answer is something. */
async function until(what, ask) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it never came: ${what}`);
}

async function send(url, method, address, { token, body, bytes } = {}) {
  const headers = { "Content-Type": bytes ? "image/jpeg" : "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(url + address, { method, headers, body: bytes ?? (body && JSON.stringify(body)) });
  const text = await response.text();
  assert(response.ok, `${method} ${address}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** Registers, confirms and logs in over the API. */
async function join(url, name) {
  // Each their own, so that a script may run again on the same instance.
  const email = `${name.toLowerCase()}.${Date.now().toString(36)}@example.org`;
  await send(url, "POST", "/api/v1/auth/register", { body: { email, password: PASSWORD, name } });
  const mail = await until("the mail", async () => {
    const { items } = await send(url, "GET", "/dev/mail/messages");
    return items.find(({ to }) => JSON.stringify(to).includes(email));
  });
  const token = /token=([\w.~-]+)/.exec(mail.text)[1];
  await send(url, "POST", "/api/v1/auth/confirm", { body: { token } });
  return enter(url, email, PASSWORD);
}

/** Logs in over the API. */
async function enter(url, email, password) {
  const session = await send(url, "POST", "/api/v1/auth/login", { body: { email, password } });
  return at(url, { email, password, session });
}

/** The same person where a server is to be found. */
function at(url, person) {
  const call = (method, address, more) => send(url, method, address, { token: person.session.token, ...more });
  return { ...person, call };
}

/** Uploads a photo and ticks a nuthatch with it. */
async function tick(person, file, note) {
  const { items } = await person.call("GET", "/api/v1/species?q=eurasian+nuthatch");
  const image = await person.call("POST", "/api/v1/images", { bytes: fs.readFileSync(file) });
  const body = { image: { url: image.url }, species: { id: items[0].id }, seen_on: new Date().toISOString().slice(0, 10), count: 2, note };
  await person.call("POST", "/api/v1/ticks", { body });
  return image.id;
}

/** Logs in on the page. */
async function logIn(page, person) {
  await page.goto(`${new URL(page.url()).origin}/#login`);
  await page.locator("#login-email").fill(person.email);
  await page.locator("#login-password").fill(person.password);
  await page.keyboard.press("Enter");
  await page.locator("[data-view=ticks]").waitFor();
}

module.exports = { assert, at, chromium, enter, join, launchOptions, logIn, tick, until };
