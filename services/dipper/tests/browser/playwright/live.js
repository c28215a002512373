// node live.js URL PHOTO: ratings by touch, changed and withdrawn; others see them without loading the page again.
const { assert, chromium, join, launchOptions, logIn, tick } = require("./person.js");

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, locale: "en-GB" };

async function main(url, photo) {
  const owner = await join(url, "Olga");
  const rater = await join(url, "Rolf");
  const image = await tick(owner, photo, "upside down");
  const browser = await chromium.launch(launchOptions);
  const watching = await browser.newPage(PHONE);
  const rating = await (await browser.newContext(PHONE)).newPage();
  await watching.goto(`${url}/#photo/${image}`);
  await watching.getByText("No ratings").waitFor();
  const feed = await browser.newPage(PHONE);
  await feed.goto(url);
  await feed.locator("#feed-list .card").first().waitFor();

  await rating.goto(url);
  await logIn(rating, rater);
  await rating.goto(`${url}/#photo/${image}`);
  await rating.locator(".stars label").nth(3).tap();
  await watching.getByText("from 1 rating").waitFor();
  await watching.getByText("★ 4.0").waitFor();
  await feed.getByText("★ 4.0 · 1 rating").waitFor();
  await rating.locator(".stars label").nth(4).tap();
  await watching.getByText("★ 5.0").waitFor();
  await rating.getByText("Withdraw", { exact: true }).tap();
  await watching.getByText("No ratings").waitFor();
  assert.equal((await rater.call("GET", `/api/v1/images/${image}`)).my_rating, undefined);
  await browser.close();
}

main(process.argv[2], process.argv[3]);
