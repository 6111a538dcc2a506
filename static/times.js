// The times of the list, as people choose: how long ago, UTC, or their own time; and the days that the rows are under.
import { kept, localTime } from "./app.js";

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const rows = document.getElementById("rows");
const choice = document.getElementById("times");

const zone = () => (choice?.value === "utc" ? "UTC" : undefined);
const two = (number) => String(number).padStart(2, "0");

function ago(at, now) {
  const secs = Math.floor((now - at) / 1000);
  if (secs < 1) return "just now";
  if (secs < 60) return `${secs} s ago`;
  return secs < 3600 ? `${Math.floor(secs / 60)} min ago` : `${Math.floor(secs / 3600)} h ago`;
}

function words(time, now) {
  const at = new Date(time.dateTime);
  if (choice?.value === "utc") return time.dateTime.slice(11, 23);
  if (choice?.value === "local") return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (now - at < DAY) return ago(at, now);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** A day as it is compared. */
const keyOf = (at) => at.toLocaleDateString("sv-SE", { timeZone: zone() });

function heading(at, now) {
  const row = document.createElement("tr");
  row.className = "day";
  const cell = document.createElement("th");
  cell.colSpan = 7;
  cell.scope = "rowgroup";
  const key = keyOf(at);
  const name = key === keyOf(now) ? "Today" : key === keyOf(new Date(now - DAY)) ? "Yesterday"
    : at.toLocaleDateString("en-GB", { weekday: "long", timeZone: zone() });
  const date = document.createElement("span");
  date.className = "dim";
  date.textContent = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: zone() }) + (zone() ? ", UTC" : "");
  cell.append(`${name} `, date);
  row.append(cell);
  return row;
}

/** Puts every row under its day. */
function group(now) {
  const old = [...rows.querySelectorAll("tr.day")];
  let last = null;
  for (const row of rows.querySelectorAll("tr[data-id]")) {
    const at = new Date(row.querySelector("time").dateTime);
    const key = keyOf(at);
    if (key !== last) row.before(heading(at, now));
    last = key;
  }
  for (const row of old) row.remove();
}

/** Brings times and days up to date, those of rows that just came too. */
export function arrange() {
  const now = new Date();
  for (const time of rows.querySelectorAll("time")) {
    localTime(time);
    const text = words(time, now);
    if (time.textContent !== text) time.textContent = text;
  }
  group(now);
}

if (rows && choice) {
  const before = kept.get("times");
  if ([...choice.options].some((option) => option.value === before)) choice.value = before;
  choice.hidden = false;
  choice.addEventListener("change", () => { kept.set("times", choice.value); arrange(); });
  arrange();
  setInterval(arrange, 5000);
}
