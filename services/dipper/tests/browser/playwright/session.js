// node session.js URL EMAIL PASSWORD: a browser's session is in a cookie that no script reads and no other page uses; one
// log-in serves the birders' page and the dashboard. The address and password are an admin's.
const http = require("node:http");
const { assert, chromium, enter, launchOptions, logIn } = require("./person.js");

/** A page of another origin, but of the same site as far as cookies are concerned: those know no ports. */
function neighbour() {
  const server = http.createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>Neighbour</title>");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Logs out behind the back of whoever is logged in, as far as the browser allows. */
async function attack(page, url) {
  const said = await page.evaluate(async (address) => {
    const request = { method: "POST", mode: "no-cors", credentials: "include" };
    return fetch(address, request).then((answer) => answer.status, (error) => error.name);
  }, `${url}/api/v1/auth/logout`);
  assert.equal(said, "TypeError", "the answer is for pages of its own origin only");
  await page.evaluate((address) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: address });
    document.body.append(form);
    form.submit();
  }, `${url}/api/v1/auth/logout`);
  await page.getByText("cross-origin").waitFor();
}

async function expectLocked(context, page) {
  const kept = (await context.cookies()).filter(({ name }) => name === "__Host-session");
  assert.equal(kept.length, 1);
  const { value, httpOnly, secure, sameSite, path } = kept[0];
  assert.deepEqual({ httpOnly, secure, sameSite, path }, { httpOnly: true, secure: true, sameSite: "Strict", path: "/" });
  const readable = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert(!readable.includes(value), "a script reads the token");
}

async function main(url, email, password) {
  const browser = await chromium.launch(launchOptions);
  const context = await browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(url);
  await logIn(page, await enter(url, email, password));
  await expectLocked(context, page);
  await page.reload();
  await page.locator("[data-view=ticks]").waitFor();

  const server = await neighbour();
  const elsewhere = await context.newPage();
  await elsewhere.goto(`http://127.0.0.1:${server.address().port}`);
  await attack(elsewhere, url);
  await elsewhere.close();
  await page.goto(`${url}/#account`);
  await page.locator("#account-email", { hasText: email }).waitFor();

  const dashboard = await context.newPage();
  await dashboard.goto(`${url}/admin/`);
  await dashboard.locator("#sections").waitFor();
  await dashboard.locator("#logout").click();
  await dashboard.locator("#entrance").waitFor();
  await page.locator("[data-view=login]").waitFor();
  assert.deepEqual(await context.cookies(), []);
  server.close();
  await browser.close();
}

main(...process.argv.slice(2));
