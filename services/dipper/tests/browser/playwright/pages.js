// node pages.js URL PHOTO FOLDER: every page in both languages and colour schemes, on a phone and on a desk: nothing that axe
// finds, nothing that the content security policy stops, nothing that jumps; a screenshot of each lands in the folder.
const fs = require("node:fs");
const path = require("node:path");
const { expectNone, watch } = require("./faults.js");
const { assert, chromium, join, launchOptions, logIn, tick, until } = require("./person.js");

const FIRST_LOAD = 200_000;
const FIRST_PAINT = 1000;
const LARGEST_SHIFT = 0.05;
const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1100, height: 800 } };
/** Each size, language and scheme meets each of the others. */
const LOOKS = [
  { size: "phone", locale: "en-GB", scheme: "light" },
  { size: "phone", locale: "sv-SE", scheme: "dark" },
  { size: "desk", locale: "sv-SE", scheme: "light" },
  { size: "desk", locale: "en-GB", scheme: "dark" },
];
const GUEST = ["feed", "feed/best", "register", "mailed", "login", "forgotten", "reset", "photo"];
const MEMBER = ["feed", "photo", "new", "edit", "ticks", "lists", "lists/year", "account", "data", "erasure/unknown"];

/** What a page waits for; the line for news stays open. */
function pendingOf(page) {
  const pending = new Set();
  page.on("request", (request) => request.url().endsWith("/feed/live") || pending.add(request));
  page.on("requestfinished", (request) => pending.delete(request));
  page.on("requestfailed", (request) => pending.delete(request));
  return pending;
}

/** Shows what is folded up. What the records say in English has no place between Swedish sentences. */
async function openAll(page) {
  const foreign = await page.evaluate(() => {
    for (const details of document.querySelectorAll("#kept-list details")) details.open = true;
    const marked = [...document.querySelectorAll("#kept-list [lang]")];
    return marked.filter(({ lang }) => lang !== document.documentElement.lang).map(({ textContent }) => textContent);
  });
  assert.deepEqual(foreign, []);
}

/** A page of its own for each view, as somebody who follows a link to it. */
async function look(context, url, view, file) {
  const page = await context.newPage();
  const pending = pendingOf(page);
  await page.goto(`${url}/${view}`);
  await page.locator("h1:visible").waitFor();
  await page.locator("#figures").waitFor();
  await until("all answers and pictures", () => pending.size === 0);
  const shift = await page.evaluate(() => window.shift);
  assert(shift <= LARGEST_SHIFT, `${file} jumps by ${shift}`);
  await openAll(page);
  await expectNone(page, file);
  await page.screenshot({ path: `${file}.png` });
  await page.close();
}

/** What comes over the line until the page is there, as it is compressed, without photos. */
async function expectSmallFirstLoad(browser, url) {
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  const line = await context.newCDPSession(page);
  let bytes = 0;
  const photos = new Set();
  await line.send("Network.enable");
  line.on("Network.responseReceived", ({ requestId, response }) => new URL(response.url).pathname.startsWith("/images/") && photos.add(requestId));
  line.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => (bytes += photos.has(requestId) ? 0 : encodedDataLength));
  await page.goto(url);
  await page.locator("#figures").waitFor();
  assert(bytes > 0 && bytes < FIRST_LOAD, `${bytes} bytes`);
  await context.close();
}

/** Something is to be seen within a second, by somebody who has nothing of the page yet. A busy machine is given more than one chance. */
async function expectEarlyFirstPaint(browser, url) {
  await until(`a first paint within ${FIRST_PAINT} ms`, async () => {
    const context = await browser.newContext({ serviceWorkers: "block" });
    const page = await context.newPage();
    await page.goto(url);
    const paints = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").map(({ startTime }) => startTime)[0]);
    const paint = await paints.jsonValue();
    await context.close();
    return paint < FIRST_PAINT;
  });
}

async function tour(browser, { url, owner, image, ticked, folder }, { size, locale, scheme }) {
  const context = await browser.newContext({ viewport: SIZES[size], locale, colorScheme: scheme, reducedMotion: "reduce" });
  await context.addInitScript(watch);
  const named = (view, who) => path.join(folder, [view.replace("/", "-"), who, size, scheme, locale.slice(0, 2)].join("."));
  const about = { photo: image, edit: ticked };
  const address = (view) => (view === "reset" ? "?token=none#reset" : `#${view in about ? `${view}/${about[view]}` : view}`);
  for (const view of GUEST) await look(context, url, address(view), named(view, "guest"));
  const page = await context.newPage();
  await page.goto(url);
  await logIn(page, owner);
  await page.close();
  for (const view of MEMBER) await look(context, url, address(view), named(view, "member"));
  await context.close();
}

async function main(url, photo, folder) {
  const owner = await join(url, "Olga");
  const image = await tick(owner, photo, "upside down on the old oak");
  await until("the score", async () => (await owner.call("GET", `/api/v1/images/${image}`)).score);
  const { items } = await owner.call("GET", "/api/v1/ticks?user=me");
  const ticked = items[0].id;
  fs.mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch(launchOptions);
  await expectSmallFirstLoad(browser, url);
  await expectEarlyFirstPaint(browser, url);
  for (const one of LOOKS) await tour(browser, { url, owner, image, ticked, folder }, one);
  await browser.close();
}

main(...process.argv.slice(2));
