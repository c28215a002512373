// node dashboard.js URL PHOTO EMAIL PASSWORD FOLDER: every view of the dashboard and every dialog that it opens, on a phone and
// on a desk, light and dark: nothing that axe finds, nothing that the content security policy stops; and every action by
// keyboard alone. A screenshot of each lands in the folder. There must be a dead letter; the address and password are an admin's.
const fs = require("node:fs");
const path = require("node:path");
const { expectNone, watch } = require("./faults.js");
const { assert, chromium, enter, join, launchOptions, tick, until } = require("./person.js");

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1200, height: 900 } };
const LOOKS = [
  { size: "phone", scheme: "light" },
  { size: "phone", scheme: "dark" },
  { size: "desk", scheme: "light" },
  { size: "desk", scheme: "dark" },
];
/** What shows that a view is there, and the buttons in it that open a dialog. */
const VIEWS = {
  overview: { shown: "#latencies tr", opens: [] },
  reports: { shown: ".case img[src]", opens: [".case .actions button:nth-child(1)", ".case .actions button:nth-child(2)"] },
  people: { shown: "#account-facts dd", opens: ["#account-suspend", "#account-logout", "#account-role"] },
  letters: { shown: "#dead .decide", opens: ["Inspect", "Replay …", "Skip …"].map((name) => `#dead button:text-is("${name}") >> nth=0`) },
  event: { shown: "#explained-rows tr", opens: [] },
  broker: { shown: "#deliveries tr", opens: [] },
  erasures: { shown: "#receipts button", opens: ["#receipts button"] },
  log: { shown: "#audit tr", opens: [] },
};

async function pressUntil(page, what, selector) {
  const wanted = page.locator(selector).first();
  for (let presses = 0; presses < 200; presses += 1) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`the keyboard does not come to ${what}`);
}

async function press(page, selector) {
  await pressUntil(page, selector, selector);
  await page.keyboard.press("Enter");
}

async function logIn(page, { email, password }) {
  await pressUntil(page, "the address", "#email");
  await page.keyboard.type(email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.locator("#sections").waitFor();
}

/** Goes to a view; its heading has the focus when everything is there. */
async function turnTo(page, address) {
  await page.evaluate((hash) => (location.hash = hash), address);
  const isThere = (name) => document.activeElement === document.querySelector(`[data-view=${name}]:not([hidden]) h1`);
  await page.waitForFunction(isThere, address.split("/")[0]);
}

/** A view, and every dialog of it; Escape closes each, and the focus is back where it was. */
async function look(page, address, { shown, opens }, file) {
  await turnTo(page, address);
  await page.locator(shown).first().waitFor();
  await expectNone(page, file);
  await page.screenshot({ path: `${file}.png`, fullPage: true });
  for (const [index, selector] of opens.entries()) {
    await press(page, selector);
    await page.locator("dialog[open]").waitFor();
    await expectNone(page, `${file}, dialog ${index + 1}`);
    await page.screenshot({ path: `${file}.dialog-${index + 1}.png` });
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    assert(await page.locator(selector).first().evaluate((button) => button === document.activeElement), `${file}: the focus is lost`);
  }
}

/** Shows a letter's personal fields, with the keyboard. */
async function unmask(page, file) {
  await turnTo(page, "letters");
  await press(page, VIEWS.letters.opens[0]);
  await page.getByText("Personal fields are masked").waitFor();
  await press(page, "#letter-unmask");
  await page.keyboard.press("Enter");
  await page.locator("#decision .error").waitFor();
  await expectNone(page, `${file}, a reason that is missing`);
  await page.keyboard.type("Its sender asks what is wrong with it.");
  await page.keyboard.press("Enter");
  await page.getByText("All fields are shown").waitFor();
  await expectNone(page, file);
  await page.screenshot({ path: `${file}.png` });
  await press(page, "#letter-close");
}

/** Finds events of a type, with the keyboard, and goes on to what became of one. */
async function search(page) {
  await turnTo(page, "event");
  await pressUntil(page, "the type", "#events-type");
  await page.keyboard.type("tick.new");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => [...document.querySelectorAll("#events a")].every(({ textContent }) => textContent.startsWith("tick.new")));
  await press(page, "#events a");
  await page.locator("#explained-title", { hasText: "tick.new.v1" }).waitFor();
}

/** Saves a receipt, with the keyboard. */
async function saveReceipt(page) {
  await turnTo(page, "erasures");
  await press(page, VIEWS.erasures.opens[0]);
  await page.locator("#decision[open]").waitFor();
  await page.keyboard.type("The authority asks for it.");
  const [saved] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  const receipt = JSON.parse(fs.readFileSync(await saved.path(), "utf8"));
  assert(receipt.receipt.jws);
}

async function tour(browser, { url, admin, owner, folder }, { size, scheme }) {
  const context = await browser.newContext({ viewport: SIZES[size], locale: "en-GB", colorScheme: scheme, reducedMotion: "reduce" });
  await context.addInitScript(watch);
  const page = await context.newPage();
  const named = (view) => path.join(folder, ["dashboard", view, size, scheme].join("."));
  await page.goto(`${url}/admin/`);
  await page.locator("#entrance").waitFor();
  await expectNone(page, named("entrance"));
  await logIn(page, admin);
  const { items } = await admin.call("GET", "/api/v1/admin/events?type=tick.new");
  const addresses = { people: `people/${owner.session.user.id}`, event: `event/${items[0].id}` };
  for (const [view, what] of Object.entries(VIEWS)) await look(page, addresses[view] ?? view, what, named(view));
  await readCharts(page);
  await unmask(page, named("unmasked"));
  await search(page);
  await saveReceipt(page);
  await context.close();
}

/** As many people tick the species as it takes until staff see how its photos are scored, and who comes back. */
async function gather({ url, admin, photo }) {
  const others = [];
  for (const name of ["Sara", "Tove", "Ulla", "Vera"]) others.push(await join(url, name));
  await Promise.all(others.map((other) => tick(other, photo, "at the feeder")));
  await until("the scores of a species", async () => {
    const { items } = await admin.call("GET", "/api/v1/statistics/species/top");
    if (!items.length) return false;
    const scores = await admin.call("GET", `/api/v1/statistics/species/${items[0].species.id}/scores`);
    return scores.count >= 5;
  });
}

/** The charts of figures about many. */
async function readCharts(page) {
  await turnTo(page, "overview");
  await page.locator("#scores svg[aria-label^='Scores of Eurasian Nuthatch: 5 photos']").waitFor();
  assert.equal(await page.locator("#scores-species option").count(), 1);
  const cells = await page.locator("#retention tr").first().locator("th, td").allTextContents();
  assert.deepEqual(cells.slice(1, 3), ["5", "–"]);
}

/** Somebody who left, with a receipt. */
async function leave(url) {
  const gone = await join(url, "Gunnar");
  const { request_id: id } = await gone.call("POST", "/api/v1/gdpr/delete", { body: { password: gone.password } });
  await until("the receipt", async () => (await gone.call("GET", `/api/v1/gdpr/requests/${id}`)).receipt);
}

async function main(url, photo, email, password, folder) {
  const admin = await enter(url, email, password);
  const owner = await join(url, "Olga");
  const other = await join(url, "Rolf");
  const image = await tick(owner, photo, "beside the fence");
  await other.call("POST", `/api/v1/images/${image}/reports`, { body: { category: "privacy", note: "There is a face in it." } });
  await owner.call("POST", "/api/v1/gdpr/export");
  await leave(url);
  await gather({ url, admin, photo });
  fs.mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch(launchOptions);
  for (const one of LOOKS) await tour(browser, { url, admin, owner, folder }, one);
  await browser.close();
}

main(...process.argv.slice(2));
