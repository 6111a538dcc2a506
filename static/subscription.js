// The editor of a subscription: form and JSON, a preview beside them, save, test, check, enable, delete.
import { at } from "./app.js";
import { jsonLines, marksOf } from "./json_lines.js";
import { SubscriptionForm } from "./subscription_form.js";

const part = (id) => document.getElementById(id);
const editor = part("editor");
const json = part("json");
const saved = part("saved");
const choice = part("choice");
const id = editor.dataset.id;
const base = at("/api/v1/subscriptions");
const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

async function ask(method, path, body) {
  const answer = await fetch(base + path, { method, headers: { "Content-Type": "application/json" }, body });
  const text = await answer.text();
  let told = {};
  try { told = JSON.parse(text); } catch { /* A response without JSON says nothing. */ }
  return { ok: answer.ok, status: answer.status, told };
}

function item(text) {
  const line = document.createElement("li");
  line.textContent = text;
  return line;
}

/** The field that a fault is about: the one with the longest fitting place. */
function fieldOf(pointer) {
  const fits = (place) => pointer === place || pointer.startsWith(`${place}/`);
  const fields = [...part("form").querySelectorAll("[data-at]")];
  const places = (field) => (field.dataset.part === "row" ? [field.dataset.at] : field.dataset.at.split(" "));
  const length = (field) => Math.max(0, ...places(field).filter(fits).map((place) => place.length));
  return fields.filter((field) => length(field) > 0).sort((one, other) => length(other) - length(one))[0];
}

/** Shows every fault at its field, those without one above the form; in the JSON all of them above it. */
function showFaults(faults) {
  const isForm = !part("form-tab").hidden;
  for (const old of part("form").querySelectorAll(".field-fault")) old.remove();
  for (const old of part("form").querySelectorAll("[aria-invalid]")) {
    old.removeAttribute("aria-invalid");
    old.removeAttribute("aria-describedby");
  }
  const others = faults.filter((fault, number) => {
    const field = isForm && fieldOf(fault.pointer);
    if (!field) return true;
    const line = document.createElement("span");
    line.className = "field-fault";
    line.id = `fault-${number}`;
    line.textContent = fault.message;
    field.append(line);
    field.closest("[hidden]")?.removeAttribute("hidden");
    const named = field.querySelector(`[data-part="${CSS.escape(fault.pointer.replace(/.*\//, ""))}"]`);
    const input = named ?? field.querySelector("input:not([type=checkbox]):not([type=search]), select, textarea");
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", line.id);
    return false;
  });
  part("faults").replaceChildren(...others.map((fault) => item(fault.pointer ? `${fault.pointer}: ${fault.message}` : fault.message)));
  part("faults").hidden = others.length === 0;
  // What was made of an older text is not what would be sent.
  part("result").classList.toggle("stale", faults.length > 0);
  part("fix").hidden = faults.length === 0;
  part("fix").textContent = `Fix ${counted(faults.length, "problem")}`;
  if (faults.length > 0) part("matches").hidden = true;
}

function faultsOf(told) {
  const faults = (told.errors ?? []).map(({ pointer, message }) => ({ pointer: pointer.replace(/^\/subscription/, ""), message }));
  return faults.length || !told.detail ? faults : [{ pointer: "", message: told.detail }];
}

function cell(label, value) {
  const data = document.createElement("td");
  data.dataset.label = label;
  data.textContent = value;
  return data;
}

function showPreview(told) {
  const pill = part("matches");
  pill.hidden = false;
  pill.textContent = told.matches ? "would be sent" : "would not be sent";
  pill.className = `pill ${told.matches ? "accepted" : "rejected"}`;
  const notes = [...told.warnings, ...told.missing.map((path) => `The event lacks ${path}.`)];
  part("notes").replaceChildren(...notes.map(item));
  const rows = told.conditions.map((condition) => {
    const row = document.createElement("tr");
    const seen = condition.seen === null ? "missing" : JSON.stringify(condition.seen);
    row.append(cell("Place", condition.field), cell("Operator", condition.operator), cell("Value", JSON.stringify(condition.value) ?? ""),
      cell("Seen", seen), cell("Matches", condition.matched ? "yes" : "no"));
    return row;
  });
  part("conditions").hidden = rows.length === 0;
  part("condition-rows").replaceChildren(...rows);
  const marks = marksOf(told.placed);
  part("legend").hidden = marks.event.size === 0;
  part("event").replaceChildren(...jsonLines(told.event, marks.event));
  // Without a template the event itself is the payload: shown once.
  const isSame = told.payload === told.event;
  part("payload").closest(".side-by-side").classList.toggle("same", isSame);
  const unchanged = document.createTextNode("The event is sent unchanged.");
  part("payload").replaceChildren(...(isSame ? [unchanged] : jsonLines(told.payload, marks.payload)));
  part("exact").textContent = told.payload;
  part("headers").textContent = told.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  places = told.places;
  form.showPlaces(places);
}

let places = [];
let asked = 0;
async function preview() {
  const mine = ++asked;
  const colon = choice.value.indexOf(":");
  const event = JSON.stringify({ [choice.value.slice(0, colon)]: choice.value.slice(colon + 1) });
  // A draft goes as it is written: numbers keep their digits. Masked secrets are those of the saved one.
  const { text, faults } = form.previewed;
  const of = id ? `"subscription_id":${JSON.stringify(id)},` : "";
  const { ok, told } = await ask("POST", "/preview", `{"subscription":${text},${of}${event.slice(1)}`);
  if (mine !== asked) return;
  const all = ok ? faults : [...faults, ...faultsOf(told)];
  // What nobody has begun to fill in is not wrong yet.
  const isUntouched = !id && json.value === json.defaultValue;
  showFaults(isUntouched ? [] : all);
  part("result").hidden = isUntouched && all.length > 0;
  if (all.length === 0) showPreview(told);
  else if (told.places) form.showPlaces(told.places);
}

let waiting;
function later() {
  const isChanged = json.value !== json.defaultValue;
  part("changed").textContent = isChanged ? "Not saved" : "";
  clearTimeout(waiting);
  waiting = setTimeout(preview, 300);
}

const form = new SubscriptionForm(json, later);

/** Shows one of the two ways to edit; the form only where the JSON can be read. */
function show(name) {
  if (name === "form") {
    try {
      form.fill();
    } catch (fault) {
      showFaults([{ pointer: "", message: `Not JSON: ${fault.message}. Fix it here to use the form.` }]);
      name = "json";
    }
  }
  for (const known of ["form", "json"]) {
    const isShown = known === name;
    part(`${known}-tab`).hidden = !isShown;
    part(`tab-${known}`).setAttribute("aria-selected", isShown);
    part(`tab-${known}`).tabIndex = isShown ? 0 : -1;
  }
}

part("tabs").hidden = false;
for (const known of ["form", "json"]) {
  part(`tab-${known}`).addEventListener("click", () => {
    show(known);
    preview();
  });
}
part("tabs").addEventListener("keydown", (event) => {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const other = part("tab-form").getAttribute("aria-selected") === "true" ? "json" : "form";
  part(`tab-${other}`).click();
  document.querySelector("#tabs [aria-selected=true]").focus();
});
json.addEventListener("input", () => {
  form.broken = null;
  later();
});
choice.addEventListener("change", preview);
part("place-search").addEventListener("input", () => form.showPlaces(places));
part("fix").addEventListener("click", () => {
  const first = part("form").querySelector("[aria-invalid]");
  if (part("form-tab").hidden || !first) json.focus();
  else first.focus();
  (first ?? json).scrollIntoView({ block: "center" });
});
show("form");
if (editor.dataset.readOnly !== undefined) for (const field of part("form").elements) field.disabled = true;

function wire(button, act) {
  button?.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act(button);
    } catch {
      saved.textContent = "Connection lost. Try again.";
    }
    button.disabled = false;
  });
}
const on = (name, act) => wire(part(name), act);

async function save() {
  if (form.broken) return preview();
  const { ok, told } = id ? await ask("PUT", `/${encodeURIComponent(id)}`, json.value) : await ask("POST", "", json.value);
  showFaults(ok ? [] : faultsOf(told));
  if (ok) location.href = at(`/subscriptions/${encodeURIComponent(told.id)}`);
  else part("form").querySelector("[aria-invalid]")?.focus();
  return undefined;
}
for (const button of document.querySelectorAll("[data-save]")) wire(button, save);
on("test", async () => {
  const box = part("tested");
  box.hidden = false;
  box.textContent = "Sending webhook.test…";
  const { ok, told } = await ask("POST", `/${encodeURIComponent(id)}/test`, "{}");
  if (!ok) {
    box.textContent = told.detail;
    return;
  }
  const attempt = told.attempt;
  box.textContent = !attempt ? "Waiting to be sent. " : attempt.status ? `HTTP ${attempt.status} after ${attempt.duration_ms.toFixed(1)} ms. ` : `${attempt.error}: ${attempt.error_detail}. `;
  const link = document.createElement("a");
  link.href = at(`/messages/${told.message_id}`);
  link.textContent = "View the message";
  box.append(link);
});
on("check", async () => {
  saved.textContent = "Checking…";
  const { told } = await ask("POST", `/${encodeURIComponent(id)}/check`, "{}");
  const seen = told.response_code ? `HTTP ${told.response_code} in ${told.response_time_ms.toFixed(0)} ms` : told.error;
  const real = told.status === "degraded" ? `, but ${told.attempts.arrived} of the last ${told.attempts.of} attempts succeeded` : "";
  saved.textContent = `${told.status}: ${seen}${real}`;
});
on("toggle", async (button) => {
  const enabled = button.dataset.enabled !== "enabled";
  const { ok, told } = await ask("PATCH", `/${encodeURIComponent(id)}`, JSON.stringify({ enabled }));
  if (ok) location.reload();
  else showFaults(faultsOf(told));
});
on("delete", async () => {
  const names = part("delete").dataset.names;
  const fallback = names ? ` It is the fallback of ${names}.` : "";
  if (!confirm(`Delete this subscription? This cancels its waiting messages.${fallback}`)) return;
  const { ok, told } = await ask("DELETE", `/${encodeURIComponent(id)}`);
  if (ok) location.href = at("/subscriptions");
  else showFaults(faultsOf(told));
});

preview();
