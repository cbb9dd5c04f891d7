/*
 * Keeps the page, so that it opens with no network. It keeps nothing else: what the edge answers is never taken from
 * here, and workflows live in IndexedDB.
 */
declare const self: ServiceWorkerGlobalScope;

/** What the build put here: see vite.config.ts. */
const { version, files } = JSON.parse("__BUILD__") as { readonly version: string; readonly files: readonly string[] };

const PREFIX = "hephaestus-page-";
const CACHE = PREFIX + version;
const kept = new Set(files);

self.addEventListener("install", (event) => {
  // All of one build or nothing: files of two builds do not fit together.
  event.waitUntil(keepAll());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forgetOthers(), self.clients.claim()]));
});

self.addEventListener("message", ({ data }) => {
  if (data === "take over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || !kept.has(pathname)) return;
  event.respondWith(answer(request, pathname));
});

async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(files.map((file) => new Request(file, { cache: "reload" })));
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
}

async function answer(request: Request, pathname: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  // By path: what stands behind a `?` is the page's own business.
  return (await cache.match(pathname)) ?? fetch(request);
}

// A module, so that `self` is its own.
export {};
