// node provider.js SECRET: logging in with a real OpenID Connect provider, which is run here. It prints its issuer, and reads from
// its input where the program is that has SECRET from it.
const { once } = require("node:events");
const http = require("node:http");
const path = require("node:path");
const readline = require("node:readline");
const { pathToFileURL } = require("node:url");
const { expectNone, watch } = require("./faults.js");
const { assert, chromium, join, launchOptions } = require("./person.js");

const CALLBACK = "/api/v1/auth/oidc/callback";
const FAILED = "That did not work";

/** A provider that knows these people; their passwords are not looked at. */
async function startProvider(server, secret, people) {
  const issuer = `http://127.0.0.2:${server.address().port}`;
  console.log(issuer);
  const input = readline.createInterface({ input: process.stdin });
  const [url] = await once(input, "line");
  input.close();
  // Modules of this kind are not looked for in NODE_PATH.
  const file = path.join(process.env.NODE_PATH, "oidc-provider/lib/index.js");
  const { default: Provider } = await import(pathToFileURL(file));
  const provider = new Provider(issuer, {
    clients: [{ client_id: "dipper", client_secret: secret, redirect_uris: [url + CALLBACK] }],
    claims: { email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: ["of this test"] },
    pkce: { required: () => true },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
  });
  server.on("request", provider.callback());
  return url;
}

/** Somebody with a browser of their own. */
async function visit(browser, url) {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", serviceWorkers: "block" });
  await context.addInitScript(watch);
  const page = await context.newPage();
  await page.goto(`${url}/#login`);
  return page;
}

/** Goes to the provider, says there who they are, and lets it tell us. */
async function leaveAs(page, name, meanwhile = async () => {}) {
  await page.locator("#login-provider").click();
  await page.locator("input[name=login]").fill(name);
  await page.locator("input[name=password]").fill("not looked at");
  await page.locator("button[type=submit]").click();
  await meanwhile();
  await page.getByRole("button", { name: "Continue" }).click();
}

async function goOn(page, field, value) {
  await page.locator(field).fill(value);
  await page.keyboard.press("Enter");
}

async function profile(page) {
  await page.locator("[data-view=ticks]").waitFor();
  return page.evaluate(async () => (await fetch("/api/v1/users/me")).json());
}

/** Who is new says how they are called, and is not asked for anything the next time. */
async function newcomer(page, olga) {
  await leaveAs(page, "olga");
  await page.locator("#provider-name").waitFor();
  await expectNone(page, "the form for who is new");
  assert.equal(await page.locator("#provider-name").inputValue(), olga.name);
  await goOn(page, "#provider-name", "Olga W.");
  const { id, name, email } = await profile(page);
  assert.deepEqual({ name, email }, { name: "Olga W.", email: olga.email });
  await page.evaluate(() => fetch("/api/v1/auth/logout", { method: "POST" }).then(() => localStorage.clear()));
  return id;
}

async function comesAgain(page, url, id) {
  await page.goto(`${url}/?again#login`);
  await page.locator("#login-provider").click();
  assert.equal((await profile(page)).id, id);
}

/** An account of the same address is theirs only with its password. */
async function owner(page, bob) {
  await leaveAs(page, "bob");
  await goOn(page, "#provider-password", "a guess");
  await page.locator("#provider-form .error").waitFor();
  assert.equal(await page.evaluate(() => fetch("/api/v1/users/me").then(({ status }) => status)), 401);
  await goOn(page, "#provider-password", bob.password);
  assert.equal((await profile(page)).id, bob.session.user.id);
}

/** The provider has not seen that the address is theirs. */
async function pretender(page) {
  await leaveAs(page, "eve");
  await page.getByText("has not seen that an address is yours").waitFor();
  const refused = await page.evaluate(() => fetch("/api/v1/auth/oidc/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"name":"Eve"}' }).then(({ status }) => status));
  assert.equal(refused, 403);
}

/** Only the browser that left comes back. */
async function elsewhere(page) {
  await leaveAs(page, "olga", () => page.context().clearCookies({ name: "__Host-log-in" }));
  await page.getByText(FAILED).waitFor();
}

/** Neither another log-in's state nor a code that the provider did not give lets anybody in. */
async function forged(page, url) {
  for (const alter of [() => crypto.randomUUID(), (state) => state]) {
    const left = await page.request.get(`${url}/api/v1/auth/oidc/start`, { maxRedirects: 0 });
    const state = new URL(left.headers().location).searchParams.get("state");
    await page.goto(`${url}${CALLBACK}?code=made-up&state=${alter(state)}`);
    await page.getByText(FAILED).waitFor();
  }
}

/** Nobody comes back twice. */
async function replayed(page) {
  let back = "";
  page.on("request", (request) => {
    if (request.url().includes(CALLBACK)) back = request.url();
  });
  await leaveAs(page, "olga");
  await profile(page);
  await page.goto(back);
  await page.getByText(FAILED).waitFor();
}

async function main(secret) {
  const server = http.createServer().listen(0, "127.0.0.2");
  await once(server, "listening");
  const olga = { email: `olga.${Date.now().toString(36)}@example.org`, email_verified: true, name: "Olga" };
  const people = { olga };
  const url = await startProvider(server, secret, people);
  const bob = await join(url, "Bob");
  people.bob = { email: bob.email, email_verified: true };
  people.eve = { email: bob.email, email_verified: false };
  const browser = await chromium.launch(launchOptions);
  const page = await visit(browser, url);
  await comesAgain(page, url, await newcomer(page, olga));
  await owner(await visit(browser, url), bob);
  await pretender(await visit(browser, url));
  await elsewhere(await visit(browser, url));
  await forged(await visit(browser, url), url);
  await replayed(await visit(browser, url));
  await browser.close();
  server.close();
  server.closeAllConnections();
}

main(...process.argv.slice(2));
