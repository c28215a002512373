// node factor.js URL EMAIL PASSWORD: somebody sets up an authenticator app, is asked for its code on both pages, and switches it
// off; then a forgotten password is replaced. The address and password are an admin's.
const crypto = require("node:crypto");
const { expectNone, watch } = require("./faults.js");
const { assert, chromium, enter, launchOptions, logIn, until } = require("./person.js");

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** What the app shows, so many half minutes from now. */
function code(secret, fromNow) {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + fromNow));
  const digest = crypto.createHmac("sha1", key).update(step).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Sets an app up on the account's page. */
async function setUp(page, password) {
  await page.goto(`${new URL(page.url()).origin}/#account`);
  await page.locator("#factor-begin-password").fill("a guess");
  await page.keyboard.press("Enter");
  await page.locator("#factor-begin .error").waitFor();
  await page.locator("#factor-begin-password").fill(password);
  await page.keyboard.press("Enter");
  await page.locator("#factor-qr[src]").waitFor();
  await page.locator("#factor-qr").evaluate((image) => image.decode());
  await expectNone(page, "an app that is set up");
  const secret = await page.locator("#factor-secret").textContent();
  await page.locator("#factor-first").fill(code(secret, 0));
  await page.keyboard.press("Enter");
  await page.locator("#factor-codes li").nth(9).waitFor();
  await expectNone(page, "codes to keep");
  return { secret, kept: await page.locator("#factor-codes li").allTextContents() };
}

async function logOut(page) {
  await page.locator("#logout").click();
  await page.locator("#login-form").waitFor();
}

async function logInWithCode(page, { email, password }, shown) {
  await page.locator("#login-email").fill(email);
  await page.locator("#login-password").fill(password);
  await page.keyboard.press("Enter");
  await page.locator("#login-factor .error").waitFor();
  await expectNone(page, "a code that is asked for");
  await page.locator("#login-code").fill("000");
  await page.keyboard.press("Enter");
  await page.getByText("That code is wrong").waitFor();
  await page.locator("#login-code").fill(shown);
  await page.keyboard.press("Enter");
  await page.locator("[data-view=ticks]").waitFor();
}

async function enterDashboard(page, url, { email, password }, shown) {
  await page.goto(`${url}/admin/`);
  await page.locator("#email").fill(email);
  await page.locator("#password").fill(password);
  await page.keyboard.press("Enter");
  await page.locator("#factor .error").waitFor();
  await page.locator("#code").fill(shown);
  await page.keyboard.press("Enter");
  await page.locator("#sections").waitFor();
}

async function switchOff(page, password, shown) {
  await page.goto(`${new URL(page.url()).origin}/#account`);
  await page.locator("#factor-end-password").fill(password);
  await page.locator("#factor-last").fill(shown);
  await page.keyboard.press("Enter");
  await page.locator("#factor-begin").waitFor();
}

/** Changes the password on the account's page, and back by a link as if it were forgotten. */
async function changePassword(page, { email, password, call }) {
  await page.locator("#password-current").fill(password);
  await page.locator("#password-new").fill("a heron stands still");
  await page.keyboard.press("Enter");
  await page.getByText("Your password is changed.").waitFor();
  await logOut(page);
  await page.locator("[href='#forgotten']").click();
  await page.locator("#forgotten-email").fill(email);
  await page.keyboard.press("Enter");
  await page.getByText("a link is on its way").waitFor();
  const mail = await until("the link", async () => {
    const { items } = await call("GET", "/dev/mail/messages");
    return items.find(({ subject }) => subject === "Choose a new Dipper password");
  });
  const { search, hash } = new URL(/https?:\S+token=\S+/.exec(mail.text)[0]);
  await page.goto(`${new URL(page.url()).origin}/${search}${hash}`);
  await page.locator("#reset-password").fill(password);
  await page.keyboard.press("Enter");
  await page.getByText("Your password is changed. Log in with it.").waitFor();
  assert(!page.url().includes("token"), "the token stays in the address");
}

async function main(url, email, password) {
  const browser = await chromium.launch(launchOptions);
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce" });
  await context.addInitScript(watch);
  const page = await context.newPage();
  const admin = await enter(url, email, password);
  await page.goto(url);
  await logIn(page, admin);
  const { secret, kept } = await setUp(page, password);
  await logOut(page);
  await logInWithCode(page, admin, code(secret, 1));
  await enterDashboard(await browser.newPage(), url, admin, kept[0]);
  await switchOff(page, password, kept[1]);
  await changePassword(page, admin);
  await logIn(page, admin);
  await browser.close();
}

main(...process.argv.slice(2));
