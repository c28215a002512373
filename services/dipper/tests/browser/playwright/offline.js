// node offline.js URL PID FILE: a tick that was made offline is sent once, whatever becomes of the line and the server. The
// process PID serves URL; it is killed before its answer is out. Where it serves when it was started again comes in FILE.
const http = require("node:http");
const os = require("node:os");
const fs = require("node:fs");
const path = require("node:path");
const { assert, at, chromium, join, launchOptions, logIn, until } = require("./person.js");

const LARGE = 2_000_000;

/** Stands between page and server; with `line.kills` the server is killed when it has answered one tick, of which nobody hears. */
function proxy(target) {
  const line = { target, kills: null, seen: [] };
  const server = http.createServer((request, response) => {
    line.seen.push(`${request.method} ${request.url}`);
    const { hostname, port } = new URL(line.target);
    const options = { hostname, port, path: request.url, method: request.method, headers: request.headers };
    const onward = http.request(options, (answer) => {
      if (line.kills && request.url === "/api/v1/ticks" && request.method === "POST") {
        process.kill(line.kills, "SIGKILL");
        line.kills = null;
        answer.destroy();
        return request.socket.destroy();
      }
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => request.socket.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ line, server, url: `http://127.0.0.1:${server.address().port}` }));
  });
}

/** A photograph of noise: nothing makes a larger file of so few pixels. */
async function largePhoto(page) {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1600, 1200);
    const context = canvas.getContext("2d");
    const picture = context.createImageData(1600, 1200);
    for (let at = 0; at < picture.data.length; at++) picture.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
    context.putImageData(picture, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 1 })).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  });
  return Buffer.from(base64, "base64");
}

async function tickOffline(page, buffer) {
  assert(buffer.length >= LARGE, `${buffer.length} bytes`);
  await page.goto(`${page.url().split("#")[0]}#new`);
  await page.locator("#photo-file").setInputFiles({ name: "bird.jpg", mimeType: "image/jpeg", buffer });
  await page.locator("#species").fill("Sitta europaea");
  await page.locator("#note").fill("far from any mast");
  await page.locator("#tick-form [type=submit]").click();
}

async function expectWaiting(page) {
  const waiting = page.locator("#unsent-list [data-id]");
  await waiting.getByText("Waiting for a connection").waitFor();
  assert.equal(await waiting.count(), 1);
  await page.locator("#offline").waitFor();
}

async function open(folder, url, isOffline) {
  const context = await chromium.launchPersistentContext(folder, { ...launchOptions, locale: "en-GB" });
  await context.setOffline(isOffline);
  const page = context.pages()[0];
  await page.goto(`${url}/#ticks`);
  return page;
}

async function main(url, pid, file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "dipper-offline-"));
  const { line, server, url: through } = await proxy(url);
  let person = await join(url, "Olga");
  let page = await open(folder, through, false);
  await logIn(page, person);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  const photo = await largePhoto(page);

  await page.context().setOffline(true);
  await tickOffline(page, photo);
  await expectWaiting(page);
  await page.reload();
  await expectWaiting(page);
  await page.context().close();
  page = await open(folder, through, true);
  await expectWaiting(page);

  line.kills = Number(pid);
  await page.context().setOffline(false);
  await until("the server is killed", () => line.kills === null);
  await page.reload();
  await page.locator("#unsent-list [data-id]").waitFor();
  const again = await until("the server is back", () => fs.existsSync(file) && fs.readFileSync(file, "utf8"));
  person = at(again, person);
  assert.equal((await person.call("GET", "/api/v1/ticks?user=me")).items.length, 1, "the tick is committed");
  line.target = again;
  await page.reload();
  await page.locator("#ticks-list .card").waitFor();
  await page.locator("#unsent").waitFor({ state: "hidden" });

  const { items } = await person.call("GET", "/api/v1/ticks?user=me");
  assert.equal(items.length, 1, "exactly one tick");
  assert.equal(items[0].species.scientific, "Sitta europaea");
  const sent = (what) => line.seen.filter((one) => one === what).length;
  assert.equal(sent("POST /api/v1/images"), 1, "the photo is sent once");
  assert(sent("POST /api/v1/ticks") >= 2, "the tick is sent again");
  await page.context().close();
  server.close();
  server.closeAllConnections();
  fs.rmSync(folder, { recursive: true });
}

main(...process.argv.slice(2));
