// New deliveries appear at the top of the list. Texts only ever become text: no markup is made of them.
import { at, localTime } from "./app.js";

(() => {
  const MAX_ROWS = 300;
  const table = document.querySelector("table[data-stream]");
  if (!table) return;
  const rows = document.getElementById("rows");
  const blank = document.getElementById("row");
  const light = document.getElementById("light");
  const pause = document.getElementById("pause");
  const showNew = document.getElementById("show-new");
  const seen = new Set([...rows.children].map((row) => row.dataset.id));
  let held = [];
  let paused = false;
  let isStale = false;
  let connected = false;

  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]/gu;
  const NAMES = { "\r": "CR", "\0": "NUL", "\u001b": "ESC", "\ufeff": "BOM" };
  const plain = (text) => (text ?? "").replace(HIDDEN, (letter) =>
    `⟨${NAMES[letter] ?? "U+" + letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

  const tenths = (value) => (Math.floor(value * 10) / 10).toFixed(1);
  const size = (bytes) => bytes < 1024 ? `${bytes} B`
    : bytes < 1048576 ? `${tenths(bytes / 1024)} KiB` : `${tenths(bytes / 1048576)} MiB`;
  const took = (micros) => micros < 1000 ? `${micros} µs`
    : micros < 1e6 ? `${tenths(micros / 1000)} ms` : `${tenths(micros / 1e6)} s`;

  function makeRow(delivery) {
    const row = blank.content.firstElementChild.cloneNode(true);
    const set = (selector, text) => { row.querySelector(selector).textContent = text; };
    row.dataset.id = delivery.id;
    row.className = "new";
    row.querySelector(".pill").classList.add(delivery.verdict);
    set(".pill", delivery.verdict);
    set(".reason", (delivery.reason ?? "").replaceAll("_", " "));
    row.querySelector("a").href = at(`/deliveries/${encodeURIComponent(delivery.id)}`);
    set(".c-event a bdi", plain(delivery.event_type || `${delivery.method} ${delivery.path}`));
    set(".c-event .sub bdi", plain(delivery.event_id));
    set(".c-entity bdi", plain(delivery.entity));
    set(".c-source bdi", plain(delivery.source));
    set(".c-source .sub", delivery.client_ip);
    const time = row.querySelector("time");
    time.dateTime = delivery.received_at;
    time.textContent = delivery.received_at.replace("T", " ");
    localTime(time);
    set(".c-answer .mono", delivery.status);
    set(".c-answer .sub", took(delivery.duration_us));
    set(".c-size", size(delivery.size_bytes));
    return row;
  }

  function show(deliveries) {
    const fresh = document.createDocumentFragment();
    for (const delivery of deliveries) fresh.prepend(makeRow(delivery));
    rows.prepend(fresh);
    while (rows.children.length > MAX_ROWS) {
      seen.delete(rows.lastElementChild.dataset.id);
      rows.lastElementChild.remove();
    }
    document.getElementById("zero")?.remove();
    document.getElementById("list").hidden = false;
    document.getElementById("none").hidden = true;
  }

  function say() {
    const state = paused ? "paused" : connected ? "live" : release || !navigator.locks ? "off" : "resting";
    light.dataset.state = state;
    light.querySelector(".light-words").textContent =
      { paused: "Paused", live: "Live", off: "Reconnecting…", resting: "Live when you come to it" }[state];
    pause.textContent = paused ? "Resume" : "Pause";
    showNew.hidden = held.length === 0 && !isStale;
    showNew.textContent = isStale ? "Some were removed meanwhile: reload" : `${held.length >= MAX_ROWS ? MAX_ROWS + " or more" : held.length} new: show`;
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
  come();
  say();
})();
