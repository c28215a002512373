// node prove.js URL EMAIL PASSWORD: what is refused until the password is given again is done after that, on both pages. That the
// log-in is a while ago is only said here, once each. The address and password are an admin's.
const { expectNone, watch } = require("./faults.js");
const { assert, chromium, enter, join, launchOptions, logIn, until } = require("./person.js");

/** Says no the first time. */
async function askOnce(page, address) {
  const body = JSON.stringify({ type: "/problems/reauthentication-required", status: 403, title: "", detail: "" });
  await page.route(address, (route) => route.fulfill({ status: 403, contentType: "application/problem+json", body }), { times: 1 });
}

async function exportAgain(page, person) {
  await page.goto(`${new URL(page.url()).origin}/#data`);
  await askOnce(page, "**/api/v1/gdpr/export");
  await page.locator("#export-form [type=submit]").click();
  await page.locator("#prove[open]").waitFor();
  await expectNone(page, "the dialog that asks for the password");
  await page.locator("#prove-password").fill("a guess");
  await page.keyboard.press("Enter");
  await page.locator("#prove .error").waitFor();
  await page.locator("#prove-password").fill(person.password);
  await page.keyboard.press("Enter");
  await page.getByText("It is ready.").waitFor();
}

async function changeRole(page, { email, password, call }, birder) {
  await page.goto(`${new URL(page.url()).origin}/admin/#people/${birder.session.user.id}`);
  await page.locator("#email").fill(email);
  await page.locator("#password").fill(password);
  await page.keyboard.press("Enter");
  await page.locator("#account-role").click();
  await askOnce(page, "**/role");
  await page.locator("#decision-role").selectOption("moderator");
  await page.locator("#decision-reason").fill("Helps with the reports.");
  await page.keyboard.press("Enter");
  await page.locator("#decision-password").fill(password);
  await expectNone(page, "the decision that asks for the password");
  await page.keyboard.press("Enter");
  await page.locator("#decision[open]").waitFor({ state: "detached" });
  const path = `/api/v1/admin/users/${birder.session.user.id}`;
  const role = await until("the role", async () => (await call("GET", path)).role);
  assert.equal(role, "moderator");
}

async function main(url, email, password) {
  const browser = await chromium.launch(launchOptions);
  const pages = [];
  for (let count = 0; count < 2; count += 1) {
    const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", serviceWorkers: "block" });
    await context.addInitScript(watch);
    pages.push(await context.newPage());
  }
  const admin = await enter(url, email, password);
  const birder = await join(url, "Olga");
  for (const page of pages) await page.goto(url);
  await logIn(pages[0], birder);
  await exportAgain(pages[0], birder);
  await changeRole(pages[1], admin, birder);
  await browser.close();
}

main(...process.argv.slice(2));
