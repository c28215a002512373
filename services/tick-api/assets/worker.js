/**
 * The service worker: keeps the page itself, so that it opens without a connection. `SHELL` above names its files and a
 * version of all of them. Answers of the API and pictures are never kept here.
 */

const CACHE = `dipper-${SHELL.version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(takeOver());
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== location.origin) return;
  // The page's query (the token of a mailed link) is the page's matter: it neither goes to the server nor into the cache.
  if (address.pathname === "/" && event.request.mode === "navigate") event.respondWith(kept("/", event.request));
  else if (SHELL.files.includes(address.pathname)) event.respondWith(kept(address.pathname, event.request));
});

/** All files of one version, or none. */
async function fill() {
  const cache = await caches.open(CACHE);
  await cache.addAll(["/", ...SHELL.files].map((file) => new Request(file, { cache: "reload" })));
  await self.skipWaiting();
}

async function takeOver() {
  const others = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function kept(file, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(file)) ?? fetch(request);
}
