// The search box: what may be typed next, and a search that cannot be understood leaves what is shown.
import { at } from "./app.js";

const form = document.getElementById("search");
const box = document.getElementById("q");
const list = document.getElementById("suggestions");
const PAUSE = 60;
let offered = [];
let active = -1;
let asked = 0;
let waiting;

/** Places are counted in characters, as the server does, not in units of UTF-16. */
const before = (text, units) => [...text.slice(0, units)].length;
const units = (text, place) => [...text].slice(0, place).join("").length;

function close() {
  asked += 1;
  clearTimeout(waiting);
  offered = [];
  active = -1;
  list.hidden = true;
  list.replaceChildren();
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function mark(next) {
  active = next;
  for (const [place, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(place === active));
  const option = list.children[active];
  if (!option) { box.removeAttribute("aria-activedescendant"); return; }
  box.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function optionOf(suggestion, place) {
  const option = document.createElement("li");
  option.id = `suggestion-${place}`;
  option.role = "option";
  option.setAttribute("aria-selected", "false");
  const text = document.createElement("code");
  text.textContent = suggestion.text;
  const about = document.createElement("span");
  about.className = "dim";
  about.textContent = suggestion.about;
  option.append(text, " ", about);
  // The box keeps the focus.
  option.addEventListener("mousedown", (event) => event.preventDefault());
  option.addEventListener("click", () => take(place));
  return option;
}

async function suggest() {
  const number = ++asked;
  const url = new URL(at("/api/v1/suggestions"));
  if (box.value) url.searchParams.set("q", box.value);
  url.searchParams.set("at", before(box.value, box.selectionStart));
  let found;
  try {
    found = (await (await fetch(url)).json()).suggestions ?? [];
  } catch { found = []; }
  if (number !== asked || document.activeElement !== box) return;
  if (found.length === 0) { close(); return; }
  offered = found;
  list.replaceChildren(...offered.map(optionOf));
  list.hidden = false;
  box.setAttribute("aria-expanded", "true");
  mark(-1);
}

function take(place) {
  const { from, to, text } = offered[place];
  const rest = [...box.value].slice(to).join("");
  // A field waits for its value; a value is followed by a blank.
  const end = text.endsWith(":") || rest.startsWith(" ") ? text : `${text} `;
  const start = box.value.slice(0, units(box.value, from));
  box.value = start + end + rest;
  const caret = start.length + end.length;
  box.setSelectionRange(caret, caret);
  close();
  if (text.endsWith(":")) suggest();
}

function insert(text) {
  const place = box.selectionStart ?? box.value.length;
  const start = box.value.slice(0, place);
  const end = box.value.slice(place);
  const made = `${start && !/\s$/.test(start) ? " " : ""}${text}${end && !/^\s/.test(end) ? " " : ""}`;
  box.value = start + made + end;
  box.focus();
  box.setSelectionRange(place + made.length, place + made.length);
}

/** The address of what the form asks for, with nothing that is empty. */
function address() {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(fields).toString();
  return new URL(query ? `?${query}` : ".", at("/")).href;
}

/** Shows why a search cannot be understood, above what the last one found. */
function refuse(faults) {
  document.getElementById("faults")?.remove();
  form.after(document.adoptNode(faults));
  document.querySelector(".deliveries").classList.add("is-stale");
  box.setAttribute("aria-invalid", "true");
  box.focus();
}

async function submit() {
  const url = address();
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (answer.status === 400) {
      const faults = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("faults");
      if (faults) { refuse(faults); return; }
    }
  } catch { /* The browser says so below. */ }
  location.assign(url);
}

if (form && box && list) {
  box.role = "combobox";
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-expanded", "false");
  box.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(suggest, PAUSE); });
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) suggest();
      else mark((active + step + offered.length + (active < 0 && step < 0 ? 1 : 0)) % offered.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && active >= 0) {
      event.preventDefault();
      take(active);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); close(); submit(); });
  for (const link of form.querySelectorAll("[data-insert]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      insert(link.dataset.insert);
      link.closest("details").open = false;
    });
  }
}
