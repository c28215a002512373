// node messages.js ASSETS: both languages have the same texts, and every text that the pages name is there.
const fs = require("node:fs");
const path = require("node:path");
const assert = require("node:assert/strict");

/** What the server says in English needs a text in other languages only. */
const SAID_BY_SERVER = /^(problem|reason|kept\.(name|purpose|recipients|basis|ends))\./;

async function keys(folder, language) {
  const text = fs.readFileSync(path.join(folder, `messages.${language}.js`), "utf8");
  const { default: messages } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  return messages;
}

function named(folder) {
  const files = fs.readdirSync(folder).filter((name) => /\.(js|html)$/.test(name) && !name.startsWith("messages."));
  const text = files.map((name) => fs.readFileSync(path.join(folder, name), "utf8")).join("\n");
  const patterns = [/\bt\("([^"]+)"/g, /data-t(?:-label|-alt)?="([^"]+)"/g, /title: "([a-z.-]+)"/g];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, key]) => key));
}

async function main(folder) {
  const [english, swedish] = [await keys(folder, "en"), await keys(folder, "sv")];
  const missing = Object.keys(english).filter((key) => !(key in swedish));
  const extra = Object.keys(swedish).filter((key) => !(key in english) && !SAID_BY_SERVER.test(key));
  assert.deepEqual({ missing, extra }, { missing: [], extra: [] });
  for (const key of named(folder)) assert(key in english, `there is no text ${key}`);
  const values = (text) => JSON.stringify(text).match(/\{\w+\}/g)?.sort().join() ?? "";
  for (const key of Object.keys(english)) assert.equal(new Set([values(swedish[key])].concat(values(english[key]))).size, 1, key);
}

main(process.argv[2]);
