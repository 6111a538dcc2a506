// New deliveries appear at the top of the list.
import { at } from "./app.js";
import { readAgain } from "./rows.js";
import { arrange } from "./times.js";

(() => {
  const MAX_ROWS = 300;
  const table = document.querySelector("table[data-stream]");
  if (!table) return;
  const rows = document.getElementById("rows");
  const light = document.getElementById("light");
  const pause = document.getElementById("pause");
  const showNew = document.getElementById("show-new");
  const first = [...rows.querySelectorAll("tr[data-id]")];
  const seen = new Set(first.map((row) => row.dataset.id));
  let held = [];
  let paused = false;
  let isStale = false;
  let connected = false;

  // The server renders rows, for the page and for the stream alike, and escapes every text in them.
  const made = document.createElement("template");
  function makeRow({ html }) {
    made.innerHTML = html;
    const row = made.content.firstElementChild;
    row.classList.add("new");
    return row;
  }

  // A row whose cause is not known yet is read again a little later, and less and less often while it is not.
  const FOUND_OUT = 1500;
  const TRIES = 5;
  const MOST_UNSURE = 50;
  function lookAgain(fresh) {
    const ids = fresh.filter((row) => "unnamed" in row.dataset).map((row) => row.dataset.id);
    later(ids.slice(0, MOST_UNSURE), 0);
  }
  function later(ids, tried) {
    if (ids.length === 0 || tried === TRIES) return;
    setTimeout(async () => later(await readAgain(ids), tried + 1), FOUND_OUT * 2 ** tried);
  }

  function show(deliveries) {
    const fresh = deliveries.map(makeRow).reverse();
    rows.prepend(...fresh);
    for (const row of [...rows.querySelectorAll("tr[data-id]")].slice(MAX_ROWS)) {
      seen.delete(row.dataset.id);
      row.remove();
    }
    arrange();
    lookAgain(fresh);
    document.getElementById("zero")?.remove();
    document.getElementById("list").hidden = false;
    document.getElementById("none").hidden = true;
  }

  function say() {
    const state = paused ? "paused" : connected ? "live" : release || !navigator.locks ? "off" : "resting";
    light.dataset.state = state;
    light.querySelector(".light-words").textContent =
      { paused: "Paused", live: "Live", off: "Reconnecting…", resting: "Paused while in the background" }[state];
    pause.textContent = paused ? "Resume" : "Pause";
    showNew.hidden = held.length === 0 && !isStale;
    showNew.textContent = isStale ? "The list changed. Reload" : `Show ${held.length >= MAX_ROWS ? MAX_ROWS + " or more" : held.length} new`;
  }

  function flush() {
    // What is shown has a gap, and only the list as it now is has none.
    if (isStale) { location.reload(); return; }
    if (held.length > 0) show(held);
    held = [];
    say();
  }

  let waiting = false;
  function take(delivery) {
    if (seen.has(delivery.id)) return;
    seen.add(delivery.id);
    held.push(delivery);
    if (held.length > MAX_ROWS) seen.delete(held.shift().id);
    if (paused) { say(); return; }
    // A flood is drawn in one go, a few times a second.
    if (!waiting) {
      waiting = true;
      setTimeout(() => { waiting = false; if (!paused) flush(); }, 100);
    }
  }

  // The inspector says every ten seconds that it is there. Where it is not heard, the connection died without a word.
  const SILENCE = 25000;
  let lastHeard = 0;
  const heard = () => { lastHeard = performance.now(); };
  setInterval(() => {
    if (!source || source.readyState === EventSource.CLOSED || performance.now() - lastHeard < SILENCE) return;
    source.close();
    connected = false;
    say();
    comeAgain();
  }, 1000);

  // The browser comes again by itself after a lost connection, but not after a refusal: then we do, from where we were.
  let source;
  let cursor = null;
  async function comeAgain() {
    // When it is seen again, it comes again.
    if (document.visibilityState === "hidden") return;
    try {
      const answer = await fetch(at("/api/v1/deliveries?limit=1"), { method: "HEAD", signal: AbortSignal.timeout(5000) });
      if (answer.status === 401) { location.reload(); return; }
    } catch { /* Still away. */ }
    connect();
  }
  // A browser has six connections to us, for all its pages together, and each page needs one to be loaded. So at most four are
  // live at once: the ones that somebody came to last.
  const SLOTS = 4;
  let release = null;
  function hold(name, options) {
    return new Promise((resolve) => {
      navigator.locks.request(name, options, (lock) => {
        if (!lock) { resolve(false); return null; }
        return new Promise((free) => { release = free; resolve(true); });
      }).catch(() => { release = null; rest(); });
    });
  }
  async function takeSlot() {
    if (release || !navigator.locks) return true;
    for (let n = 0; n < SLOTS; n += 1) {
      if (await hold(`live-${n}`, { ifAvailable: true })) return true;
    }
    return document.hasFocus() && hold(`live-${Math.floor(Math.random() * SLOTS)}`, { steal: true });
  }
  /** Lets the connection go until somebody comes. */
  function rest() {
    source?.close();
    release?.();
    release = null;
    connected = false;
    say();
  }
  function come() {
    if (document.visibilityState === "visible" && (!source || source.readyState === EventSource.CLOSED)) connect();
  }

  async function connect() {
    source?.close();
    if (!await takeSlot()) { say(); return; }
    const url = new URL(table.dataset.stream, location.href);
    if (cursor) url.searchParams.set("last_event_id", cursor);
    source = new EventSource(url);
    heard();
    source.addEventListener("open", () => { heard(); connected = true; say(); });
    source.addEventListener("alive", (event) => { heard(); cursor = event.lastEventId; });
    source.addEventListener("delivery", (event) => { heard(); cursor = event.lastEventId; take(JSON.parse(event.data)); });
    source.addEventListener("reset", () => { heard(); isStale = true; if (paused) say(); else flush(); });
    source.addEventListener("error", () => {
      connected = false;
      say();
      if (source.readyState === EventSource.CLOSED) setTimeout(comeAgain, 3000);
    });
  }

  // A page that nobody sees needs none, and catches up from where it was as soon as it is seen.
  let sleeping;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(sleeping);
    if (document.visibilityState === "hidden") sleeping = setTimeout(rest, 2000);
    else come();
  });
  window.addEventListener("focus", come);

  pause.hidden = false;
  pause.addEventListener("click", () => { paused = !paused; if (paused) say(); else flush(); });
  showNew.addEventListener("click", flush);
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  lookAgain(first);
  come();
  say();
})();
