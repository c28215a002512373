// node corrections.js URL PHOTO: somebody changes a tick that was sent, by keyboard alone, shows where it was, and deletes it.
const { isForEverybody } = require("./faults.js");
const { assert, chromium, join, launchOptions, logIn, tick, until } = require("./person.js");

const PHONE = { viewport: { width: 360, height: 740 }, reducedMotion: "reduce" };

/** Goes on with the tab key until an element has the focus. */
async function tabTo(page, selector) {
  await until(`the focus on ${selector}`, async () => {
    await page.keyboard.press("Tab");
    return page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
  });
}

async function isFilled(page) {
  await page.waitForFunction(() => document.getElementById("species").value === "Eurasian Nuthatch");
  assert.equal(await page.locator("#note").inputValue(), "beside the fence");
  assert.equal(await page.locator("#count").inputValue(), "2");
  assert(!(await page.locator("#photo-file").isVisible()));
}

/** What is wrong is said at its field, and nothing is sent. */
async function refusesNothing(page) {
  await page.locator("#count").fill("0");
  await page.keyboard.press("Enter");
  await page.locator("#count-error").waitFor();
  assert(await page.evaluate(() => document.activeElement.id === "count"));
  await isForEverybody(page, "the form with a mistake");
}

async function change(page) {
  await page.keyboard.press("Control+A");
  await page.keyboard.type("3");
  await page.locator("#species").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("great tit");
  await page.locator("#species-list [role=option]").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator("#note").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.locator("#place summary").press("Enter");
  await page.locator("#place-lat").fill("59.8586");
  await page.locator("#place-lon").fill("17.6389");
  await page.locator("#place-visibility").press("ArrowDown");
  await tabTo(page, "#tick-send");
  await page.keyboard.press("Enter");
}

/** The place that nobody learned of before is on the photo's page, for somebody without an account. */
async function open(page, browser, { url, locale }, { image, where }) {
  await page.locator("#place-visibility").focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator("#place-visibility").inputValue(), "open");
  await isForEverybody(page, "the choice of who sees the place");
  await tabTo(page, "#tick-send");
  await page.keyboard.press("Enter");
  await page.locator("[data-view=ticks]").waitFor();
  const visitor = await browser.newPage({ ...PHONE, locale });
  await visitor.goto(`${url}/#photo/${image}`);
  const shown = visitor.getByRole("region", { name: where });
  await shown.getByText("59.8586, 17.6389").waitFor();
  await isForEverybody(visitor, "the photo with its place");
  await visitor.close();
}

async function remove(page) {
  await page.locator("#ticks-list button.quiet").click();
  await page.locator("#ask-yes").waitFor();
  await isForEverybody(page, "the question before deleting");
  await page.keyboard.press("Escape");
  await page.locator("#ticks-list button.quiet").click();
  await page.locator("#ask-yes").press("Enter");
  await page.locator("#ticks-empty").waitFor();
}

/** The whole way, in a language: what the page says then. */
async function correct(browser, { url, photo, locale }, texts) {
  const owner = await join(url, "Olga");
  const image = await tick(owner, photo, "beside the fence");
  const page = await browser.newPage({ ...PHONE, locale });
  await page.goto(url);
  await logIn(page, owner);
  await page.locator("#ticks-list a.button").waitFor();
  await tabTo(page, "#ticks-list a.button");
  await page.keyboard.press("Enter");
  await isFilled(page);
  assert.equal(await page.locator("#new-title").textContent(), texts.title);
  await refusesNothing(page);
  await change(page);
  await page.getByText(texts.saved).waitFor();
  await page.locator("#ticks-list").getByText(texts.birds).waitFor();
  const { items } = await owner.call("GET", "/api/v1/ticks?user=me");
  assert.deepEqual([items[0].count, items[0].note, items[0].species.english], [3, undefined, "Great Tit"]);
  assert.deepEqual(items[0].place, { lat: 59.8586, lon: 17.6389, visibility: "private" });
  await page.goto(`${url}/#edit/${items[0].id}`);
  await page.waitForFunction(() => document.getElementById("place-visibility").value === "private");
  await open(page, browser, { url, locale }, { image, where: texts.where });
  await page.goto(`${url}/#new`);
  assert.equal(await page.locator("#place-visibility").inputValue(), "obscured");
  assert.equal(await page.locator("#note").inputValue(), "");
  assert(await page.locator("#photo-choose").isVisible());
  await page.goto(`${url}/#ticks`);
  await remove(page);
  await page.close();
}

async function main(url, photo) {
  const browser = await chromium.launch(launchOptions);
  const english = { title: "Change a tick", saved: "Saved. What it said before is overwritten.", birds: "3 birds", where: "Where" };
  const swedish = { title: "Ändra ett kryss", saved: "Sparat. Det som stod förut är överskrivet.", birds: "3 fåglar", where: "Var" };
  await correct(browser, { url, photo, locale: "en-GB" }, english);
  await correct(browser, { url, photo, locale: "sv-SE" }, swedish);
  await browser.close();
}

main(...process.argv.slice(2));
