// Ctrl-K: go to a page, a device, a subscription or a delivery; filter the list; replay what is found.
import { at } from "./app.js";

const opener = document.getElementById("palette-open");
const MOST = 12;
const PAUSE = 120;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const FILTERS = [
  ["Rejected in the last hour", "verdict:rejected after:-1h", "refused"],
  ["Rejected in the last 24 hours", "verdict:rejected after:-24h", "refused"],
  ["Accepted in the last hour", "verdict:accepted after:-1h", ""],
  ["Duplicates in the last 24 hours", "verdict:duplicate after:-24h", "repeat"],
  ["Signature problems", "reason:signature_*", "mismatch missing malformed"],
  ["Responses slower than 1 s", "took:>1s", "slow"],
  ["Server errors", "status:5xx", "500 503"],
  ["Pinned deliveries", "pinned:true", ""],
  ["Deliveries with a note", "note:*", ""],
];

/** Other words for a page: what people look for there. */
const ALSO = [
  [at("/overview"), "dashboard attention"],
  [at("/"), "list search rejected refused"],
  [at("/refusals"), "refused rejected 404 405 redirect requests without a delivery"],
  [at("/entities"), "users silent"],
  [at("/drift"), "fields catalogue"],
  [at("/sources"), "secret token credential signature allowlist rules webhook url"],
  [at("/connect"), "secret token webhook url header public address tunnel proxy setup"],
  [at("/subscriptions"), "forward outgoing endpoints"],
  [at("/messages"), "forwarded sent outgoing"],
  [at("/dead-letters"), "failed retry"],
  [at("/health"), "endpoints"],
  [at("/event-types"), "catalogue schemas"],
  [at("/api"), "reference openapi programs curl"],
  [at("/docs"), "help guide manual quick start commands configuration metrics"],
];

const listOf = (q) => at(`/?q=${encodeURIComponent(q)}`);
const item = (kind, words, url, also = "") => ({ kind, words, url, also });

/** How well `typed` fits `words`: its letters in order, best at the beginnings of words and side by side; 0: not at all. */
function fit(typed, words) {
  const text = words.toLowerCase();
  const found = text.indexOf(typed);
  if (found >= 0) return 1000 - found + (found === 0 || text[found - 1] === " " ? 500 : 0);
  let score = 0;
  let last = -1;
  for (const letter of typed.replaceAll(" ", "")) {
    const place = text.indexOf(letter, last + 1);
    if (place < 0) return 0;
    score += place === last + 1 ? 6 : place === 0 || text[place - 1] === " " ? 4 : 1;
    last = place;
  }
  return score >= typed.length * 3 ? score : 0;
}

function fixed() {
  const pages = [...document.querySelectorAll("#side a:not(.brand)")].map((link) =>
    item("Page", link.firstChild.textContent.trim(), link.href, ALSO.find(([url]) => url === link.href)?.[1]));
  const filters = FILTERS.map(([words, q, also]) => item("Filter", words, listOf(q), also));
  const replay = document.querySelector("#bulk a[data-bulk][data-some][href]");
  const replays = replay ? [item("Replay", "Replay what this list shows…", replay.href, "again send")] : [];
  return [...pages, item("Page", "Replays", at("/replays"), "resend"), ...replays, ...filters];
}

async function asked(url, read) {
  try {
    const answer = await fetch(url);
    return answer.ok ? read(await answer.json()) : [];
  } catch { return []; }
}
const subscriptions = () => asked(at("/api/v1/subscriptions"), (found) => found.subscriptions.map((one) =>
  item("Subscription", one.name, at(`/subscriptions/${encodeURIComponent(one.id)}`))));
const searches = () => asked(at("/api/v1/searches"), (found) => found.searches.map((one) =>
  item("Saved search", one.name, at(`/?${one.query}`))));
const devices = (typed) => asked(at(`/api/v1/entities?limit=6&q=${encodeURIComponent(typed)}`), (found) =>
  found.entities.map((one) => item("Device", one.name ?? one.entity,
    at(`/entities/${encodeURIComponent(one.source)}/${encodeURIComponent(one.entity)}`), one.entity)));

function build() {
  const dialog = document.createElement("dialog");
  dialog.id = "palette";
  dialog.setAttribute("aria-label", "Go to");
  const input = document.createElement("input");
  input.type = "text";
  input.role = "combobox";
  input.placeholder = "Go to a page, device, subscription, delivery id or filter";
  for (const [name, value] of [["aria-label", "Go to"], ["aria-controls", "palette-list"], ["aria-expanded", "true"],
    ["aria-autocomplete", "list"], ["autocomplete", "off"], ["spellcheck", "false"]]) input.setAttribute(name, value);
  const list = document.createElement("ul");
  list.id = "palette-list";
  list.role = "listbox";
  list.setAttribute("aria-label", "Results");
  dialog.append(input, list);
  document.body.append(dialog);
  return { dialog, input, list };
}

let parts = null;
let items = [];
let found = [];
let shown = [];
let active = 0;
let number = 0;
let waiting;

function mark(next) {
  active = next;
  for (const [place, option] of [...parts.list.children].entries()) option.setAttribute("aria-selected", String(place === active));
  const option = parts.list.children[active];
  if (!option) { parts.input.removeAttribute("aria-activedescendant"); return; }
  parts.input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function go(place, event) {
  const one = shown[place];
  if (!one) return;
  parts.dialog.close();
  if (event?.ctrlKey || event?.metaKey) window.open(one.url, "_blank", "noopener");
  else location.assign(one.url);
}

function optionOf(one, place) {
  const option = document.createElement("li");
  option.id = `palette-${place}`;
  option.role = "option";
  const words = document.createElement("bdi");
  words.textContent = one.words;
  const kind = document.createElement("span");
  kind.className = "dim";
  kind.textContent = one.kind;
  option.append(words, " ", kind);
  option.addEventListener("click", (event) => go(place, event));
  return option;
}

function show() {
  const text = parts.input.value.trim();
  const typed = text.toLowerCase();
  const pieces = typed.split(/\s+/);
  // Each word that is typed fits somewhere.
  const scoreOf = (one) => {
    const scores = pieces.map((part) => Math.max(fit(part, one.words), fit(part, one.also) / 2));
    return scores.includes(0) ? 0 : scores.reduce((sum, score) => sum + score, 0);
  };
  const fits = [...items, ...found]
    .map((one) => [typed === "" ? 1 : scoreOf(one), one])
    .filter(([score]) => score > 0)
    .sort(([one], [other]) => other - one)
    .map(([, one]) => one);
  const direct = ID.test(typed) ? [item("Delivery", `Open delivery ${typed}`, at(`/deliveries/${typed}`))] : [];
  const search = text ? [item("Search", `Search deliveries for “${text}”`, listOf(text)),
    item("Documentation", `Search the documentation for “${text}”`, at(`/docs?q=${encodeURIComponent(text)}`))] : [];
  shown = [...direct, ...fits.slice(0, MOST), ...search];
  parts.list.replaceChildren(...shown.map(optionOf));
  mark(0);
}

function typed() {
  show();
  clearTimeout(waiting);
  const text = parts.input.value.trim();
  const mine = ++number;
  found = [];
  if (text.length < 2) return;
  waiting = setTimeout(async () => {
    const more = await devices(text);
    if (mine !== number) return;
    found = more;
    show();
  }, PAUSE);
}

function keys(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && shown.length > 0) {
    event.preventDefault();
    mark((active + step + shown.length) % shown.length);
  } else if (event.key === "Enter") {
    event.preventDefault();
    go(active, event);
  }
}

async function open() {
  if (!parts) {
    parts = build();
    parts.input.addEventListener("input", typed);
    parts.input.addEventListener("keydown", keys);
    parts.dialog.addEventListener("click", (event) => { if (event.target === parts.dialog) parts.dialog.close(); });
  }
  if (parts.dialog.open) { parts.dialog.close(); return; }
  document.getElementById("keys")?.close();
  parts.input.value = "";
  found = [];
  items = fixed();
  show();
  parts.dialog.showModal();
  const more = await Promise.all([subscriptions(), searches()]);
  items = [...fixed(), ...more.flat()];
  show();
}

if (opener) {
  opener.hidden = false;
  if (!/Mac|iPhone|iPad/.test(navigator.platform)) opener.querySelector("kbd").textContent = "Ctrl K";
  opener.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
}
