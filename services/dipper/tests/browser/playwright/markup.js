// node markup.js URL PHOTO EMAIL PASSWORD OBJECTS: markup in whatever people and staff write is text on every page and in every mail: no
// element of it is there, no dialog opens, and there is nothing for the content security policy to stop. There must be a dead letter
// with markup in it; the address and password are an admin's, and OBJECTS is the folder of the pictures.
const fs = require("node:fs");
const path = require("node:path");
const { watch } = require("./faults.js");
const { assert, chromium, enter, join, launchOptions, logIn, tick, until } = require("./person.js");

const MARKUP = `<img src=x onerror=alert(1)><svg onload=alert(2)></svg><a href="javascript:alert(3)">'"`;
/** What only markup could have made. */
const MADE = "img[src='x'], [onerror], [onload], [href^='javascript:']";
const OWNER = ["feed", "feed/best", "photo", "edit", "ticks", "lists", "account", "data"];
const GUEST = ["feed", "photo"];
const STAFF = ["overview", "reports", "people", "letters", "event", "broker", "erasures", "log"];
/** Where the text itself must be read: what was written there is shown there. */
const SHOWN = new Set(["owner ticks", "owner account", "owner edit", "admin reports", "admin log", "mail"]);

/** Writes it wherever something may be written. */
async function write({ owner, other, admin, photo, url, objects }) {
  for (const person of [owner, other]) await person.call("PATCH", "/api/v1/users/me", { body: { name: MARKUP } });
  const image = await tick(owner, photo, MARKUP);
  await other.call("PUT", `/api/v1/images/${image}/rating`, { body: { rating: 4 } });
  await other.call("POST", `/api/v1/images/${image}/reports`, { body: { category: "other", note: MARKUP } });
  await giveReasons({ admin, other, ...(await leave({ url, admin, objects })) });
  await owner.call("POST", `/api/v1/images/${image}/appeal`, { body: { note: MARKUP } });
  return image;
}

/** Two people leave: of one a receipt is all that is left, the other still stands in a file. */
async function leave({ url, admin, objects }) {
  const first = async (list, isIt = () => true) => (await admin.call("GET", `/api/v1/admin/gdpr/${list}`)).items.find(isIt)?.id;
  const [gone, stuck] = [await join(url, "Gunnar"), await join(url, "Siri")];
  const ask = (person) => person.call("POST", "/api/v1/gdpr/delete", { body: { password: person.password } });
  await ask(gone);
  const receipt = await until("the receipt", () => first("receipts"));
  fs.writeFileSync(path.join(objects, "copy"), stuck.session.user.id);
  await ask(stuck);
  const request = await until("the request that is stuck", () => first("requests", ({ found_in: places }) => places.length > 0));
  return { receipt, request };
}

/** Staff do whatever they have to give a reason for. */
async function giveReasons({ admin, other, receipt, request }) {
  const items = async (list) => (await admin.call("GET", `/api/v1/admin/${list}`)).items;
  const [[{ id: report }], [{ id: letter }]] = [await items("reports?state=open"), await items("dead-letters")];
  const user = other.session.user.id;
  const decisions = [
    ["POST", "/reports/{id}/decisions", report, { action: "hide", category: "other" }],
    ["POST", "/dead-letters/{id}/unmasking", letter],
    ["POST", "/dead-letters/decisions", "", { action: "replay", ids: [letter] }],
    ["POST", "/users/search", "", { email: other.email }],
    ["PUT", "/users/{id}/role", user, { role: "moderator" }],
    ["PUT", "/users/{id}/suspension", user, { until: new Date(Date.now() + 3_600_000).toISOString() }],
    ["POST", "/users/{id}/logout", user],
    ["POST", "/gdpr/requests/{id}/extension", request],
    ["POST", "/gdpr/requests/{id}/retry", request],
    ["POST", "/gdpr/receipts/{id}", receipt],
    ["POST", "/projections/{service}/rebuilds", "statistics", { switch: "never" }],
  ];
  const routes = decisions.map(([method, route]) => `${method} /api/v1/admin${route}`);
  assert.deepEqual(routes.sort(), await askingForReasons(admin));
  for (const [method, route, about, more] of decisions) {
    const address = `/api/v1/admin${route.replace(/\{\w+\}/, about)}`;
    await admin.call(method, address, { body: { ...more, reason: MARKUP } });
  }
}

/** All routes that ask for a reason, as the document of the API has them. */
async function askingForReasons(admin) {
  const { paths, components } = await admin.call("GET", "/api/openapi.json");
  const asks = ({ requestBody }) => {
    const name = requestBody?.content["application/json"]?.schema.$ref?.split("/").pop();
    return "reason" in (components.schemas[name]?.properties ?? {});
  };
  const routes = Object.entries(paths).flatMap(([route, methods]) =>
    Object.keys(methods).filter((method) => asks(methods[method])).map((method) => `${method.toUpperCase()} ${route}`));
  return routes.sort();
}

/** Pages of somebody, each as whoever follows a link to it. */
async function visit(context, who, addresses) {
  for (const [name, address] of Object.entries(addresses)) {
    const page = await context.newPage();
    const place = `${who} ${name}`.trim();
    const dialogs = [];
    page.on("dialog", (dialog) => dialogs.push(dialog.message()) && dialog.dismiss());
    await page.goto(address);
    if (SHOWN.has(place)) await page.waitForFunction((text) => isWritten(text), MARKUP);
    await page.waitForLoadState("load");
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    const { made, stopped } = await page.evaluate((selector) => ({ made: document.querySelectorAll(selector).length, stopped: window.stopped }), MADE);
    assert.deepEqual({ dialogs, made, stopped }, { dialogs: [], made: 0, stopped: [] }, place);
    await page.close();
  }
}

/** Whether a text can be read on the page, in a field too. */
function addReading() {
  window.isWritten = (text) => document.body.innerText.includes(text) || [...document.querySelectorAll("input, textarea")].some(({ value }) => value.includes(text));
}

async function open(browser) {
  const context = await browser.newContext({ locale: "en-GB" });
  await context.addInitScript(watch);
  await context.addInitScript(addReading);
  return context;
}

/** The addresses of views. */
function at(url, views, about) {
  return Object.fromEntries(views.map((view) => [view, `${url}/#${view in about ? `${view}/${about[view]}` : view}`]));
}

async function readAsOwner(browser, { url, owner, about }) {
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(url);
  await logIn(page, owner);
  await page.close();
  await visit(context, "owner", at(url, OWNER, about));
  await context.close();
}

async function readAsAdmin(browser, { url, admin, about }) {
  const context = await open(browser);
  const page = await context.newPage();
  await page.goto(`${url}/admin/`);
  await page.locator("#email").fill(admin.email);
  await page.locator("#password").fill(admin.password);
  await page.keyboard.press("Enter");
  await page.locator("#sections").waitFor();
  await page.close();
  await visit(context, "admin", at(`${url}/admin`, STAFF, about));
  await context.close();
}

/** The mailbox, and each mail with its markup as a mail program shows it. */
async function readMails(browser, { url, owner }) {
  const mails = await until("the mail about the rating", async () => {
    const { items } = await owner.call("GET", "/dev/mail/messages");
    return items.some(({ subject }) => subject.includes("rated")) && items;
  });
  const context = await open(browser);
  await visit(context, "", { mail: `${url}/dev/mail` });
  const page = await context.newPage();
  page.on("dialog", (dialog) => assert.fail(dialog.message()));
  for (const { html, subject } of mails) {
    await page.setContent(html);
    assert.equal(await page.locator(MADE).count(), 0, subject);
  }
  await context.close();
}

async function main(url, photo, email, password, objects) {
  const admin = await enter(url, email, password);
  const owner = await join(url, "Olga");
  const other = await join(url, "Rolf");
  const image = await write({ owner, other, admin, photo, url, objects });
  const { items } = await owner.call("GET", "/api/v1/ticks?user=me");
  const { items: events } = await admin.call("GET", "/api/v1/admin/events?type=tick.new");
  const about = { photo: image, edit: items[0].id, people: other.session.user.id, event: events[0].id };
  const browser = await chromium.launch(launchOptions);
  await readAsOwner(browser, { url, owner, about });
  const guest = await open(browser);
  await visit(guest, "guest", at(url, GUEST, about));
  await guest.close();
  await readAsAdmin(browser, { url, admin, about });
  await readMails(browser, { url, owner });
  await browser.close();
}

main(...process.argv.slice(2));
