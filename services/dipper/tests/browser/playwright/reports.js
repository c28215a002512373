// node reports.js URL PHOTO EMAIL PASSWORD: a picture that was reported and hidden is its owner's alone, who may object. The
// address and password are an admin's.
const { isForEverybody } = require("./faults.js");
const { assert, chromium, enter, join, launchOptions, logIn, tick } = require("./person.js");

const DESK = { locale: "en-GB" };

/** Hides the one picture that is reported, and answers its case. */
async function hide(admin) {
  const { items } = await admin.call("GET", "/api/v1/admin/reports?state=open");
  assert.equal(items.length, 1);
  const body = { action: "hide", category: "privacy", reason: "There is a face in it." };
  await admin.call("POST", `/api/v1/admin/reports/${items[0].id}/decisions`, { body });
}

async function report(page) {
  await page.locator("#photo-body .report").click();
  await isForEverybody(page, "the dialog to report");
  await page.locator("#report-category").selectOption("privacy");
  await page.locator("#report-note").fill("My neighbour is in it.");
  await page.locator("#report-form [type=submit]").click();
  await page.getByText("Thank you. A moderator will look at it.").waitFor();
}

async function object(page) {
  await page.getByText("hidden this picture from everybody but you").waitFor();
  await page.waitForFunction(() => document.querySelector("#photo-body img").naturalWidth > 0);
  await page.locator("#photo-body .hidden-note button").click();
  await isForEverybody(page, "the dialog to object");
  await page.locator("#appeal-note").fill("That is a scarecrow.");
  await page.locator("#appeal-form [type=submit]").click();
  await page.getByText("You objected.").waitFor();
}

async function main(url, photo, email, password) {
  const owner = await join(url, "Olga");
  const other = await join(url, "Rolf");
  const admin = await enter(url, email, password);
  const image = await tick(owner, photo, "beside the fence");
  const browser = await chromium.launch(launchOptions);
  const pages = {};
  for (const [name, person] of Object.entries({ owner, other })) {
    pages[name] = await browser.newPage(DESK);
    await pages[name].goto(url);
    await logIn(pages[name], person);
    await pages[name].goto(`${url}/#photo/${image}`);
  }
  await report(pages.other);
  await hide(admin);
  await pages.other.reload();
  await pages.other.getByText("This picture is no longer here.").waitFor();
  await pages.owner.reload();
  await object(pages.owner);
  const { items } = await admin.call("GET", "/api/v1/admin/reports?state=open");
  assert.equal(items[0].appeal.note, "That is a scarecrow.");
  await browser.close();
}

main(...process.argv.slice(2));
