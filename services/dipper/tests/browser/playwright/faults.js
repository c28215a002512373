// What is wrong with a page as it is now: for all scripts that look at pages.
const fs = require("node:fs");
const { assert } = require("./person.js");

const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Notes from the first moment on what the policy stops and what jumps; a context's init script. */
function watch() {
  window.stopped = [];
  window.shift = 0;
  addEventListener("securitypolicyviolation", (event) => window.stopped.push(`${event.violatedDirective} ${event.blockedURI}`));
  const add = (list) => list.getEntries().forEach((entry) => entry.hadRecentInput || (window.shift += entry.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
}

/** Nothing that axe finds. */
async function isForEverybody(page, name) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const faults = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  assert.deepEqual(faults, [], `axe on ${name}`);
}

/** Nothing that axe finds, nothing that the content security policy stops, nothing wider than the window. */
async function expectNone(page, name) {
  await isForEverybody(page, name);
  const { stopped, tooWide } = await page.evaluate(() => ({
    stopped: window.stopped,
    tooWide: document.documentElement.scrollWidth > innerWidth,
  }));
  assert.deepEqual(stopped, [], `the policy on ${name}`);
  assert(!tooWide, `${name} is too wide`);
}

module.exports = { expectNone, isForEverybody, watch };
