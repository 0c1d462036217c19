// Keeps the page for when there is no network, and lets it use threads.
//
// PAGE stands above: {version, files, onDemand}. A page with other content has another version, and replaces the one that
// is kept. Files on demand are kept once somebody has asked for them.

const NAME = `salbox-page-${PAGE.version}`;

addEventListener("install", (event) => {
  const kept = async () => {
    const cache = await caches.open(NAME);
    await cache.addAll(PAGE.files.map((file) => new Request(file, { cache: "no-cache" })));
    await skipWaiting();
  };
  event.waitUntil(kept());
});

addEventListener("activate", (event) => {
  const tidied = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith("salbox-page-") && name !== NAME).map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(tidied());
});

addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method === "GET" && address.origin === location.origin) event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(NAME);
  const found = (await cache.match(request, { ignoreSearch: true })) ?? (await fetched(request, cache));
  // Isolated from other pages, as browsers ask of one with threads; most hosts of files cannot be told to say so.
  const headers = new Headers(found.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(found.body, { status: found.status, statusText: found.statusText, headers });
}

async function fetched(request, cache) {
  const found = await fetch(request);
  const file = new URL(request.url).pathname.split("/").at(-1);
  if (found.ok && PAGE.onDemand.includes(file)) await cache.put(request, found.clone());
  return found;
}
