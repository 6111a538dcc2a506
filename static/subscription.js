// The editor of a subscription: a preview beside it, save, test, check, enable, delete.
import { at } from "./app.js";

const editor = document.getElementById("editor");
const json = document.getElementById("json");
const faults = document.getElementById("faults");
const saved = document.getElementById("saved");
const choice = document.getElementById("choice");
const id = editor.dataset.id;
const base = at("/api/v1/subscriptions");

async function ask(method, path, body) {
  const answer = await fetch(base + path, { method, headers: { "Content-Type": "application/json" }, body });
  const text = await answer.text();
  let told = {};
  try { told = JSON.parse(text); } catch { /* an answer without JSON has nothing to tell */ }
  return { ok: answer.ok, status: answer.status, told };
}

function item(text) {
  const line = document.createElement("li");
  line.textContent = text;
  return line;
}

function showFaults(told) {
  const lines = (told.errors || []).map((fault) => `${fault.pointer || "(whole)"}: ${fault.message}`);
  if (!lines.length && told.detail) lines.push(told.detail);
  faults.replaceChildren(...lines.map(item));
  faults.hidden = lines.length === 0;
}

function cell(value) {
  const data = document.createElement("td");
  data.textContent = value;
  return data;
}

function showPreview(told) {
  const pill = document.getElementById("matches");
  pill.hidden = false;
  pill.textContent = told.matches ? "would be sent" : "would not be sent";
  pill.className = `pill ${told.matches ? "accepted" : "rejected"}`;
  const notes = [...told.warnings, ...told.missing.map((path) => `The event lacks ${path}.`)];
  document.getElementById("notes").replaceChildren(...notes.map(item));
  const rows = told.conditions.map((condition) => {
    const row = document.createElement("tr");
    const seen = condition.seen === null ? "missing" : JSON.stringify(condition.seen);
    row.append(cell(condition.field), cell(condition.operator), cell(JSON.stringify(condition.value) ?? ""), cell(seen), cell(condition.matched ? "yes" : "no"));
    return row;
  });
  document.getElementById("conditions").hidden = rows.length === 0;
  document.getElementById("condition-rows").replaceChildren(...rows);
  document.getElementById("payload").textContent = told.payload;
  document.getElementById("headers").textContent = told.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
}

let asked = 0;
async function preview() {
  const mine = ++asked;
  const at = choice.value.indexOf(":");
  const event = JSON.stringify({ [choice.value.slice(0, at)]: choice.value.slice(at + 1) });
  // A draft goes as it is written: numbers keep their digits. Masked secrets are only known for the saved one.
  const changed = json.value !== json.defaultValue || !id;
  const subscription = changed ? json.value : JSON.stringify(id);
  const { ok, told } = await ask("POST", "/preview", `{"subscription":${subscription},${event.slice(1)}`);
  if (mine !== asked) return;
  if (ok) {
    showFaults({});
    showPreview(told);
  } else {
    showFaults({ ...told, errors: (told.errors || []).map((fault) => ({ ...fault, pointer: fault.pointer.replace(/^\/subscription/, "") })) });
  }
}

let waiting;
json.addEventListener("input", () => {
  saved.textContent = "Not saved";
  clearTimeout(waiting);
  waiting = setTimeout(preview, 300);
});
choice.addEventListener("change", preview);

function on(name, act) {
  const button = document.getElementById(name);
  button?.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act(button);
    } catch {
      saved.textContent = "The inspector does not answer.";
    }
    button.disabled = false;
  });
}

on("save", async () => {
  const { ok, told } = id ? await ask("PUT", `/${encodeURIComponent(id)}`, json.value) : await ask("POST", "", json.value);
  showFaults(ok ? {} : told);
  if (ok) location.href = at(`/subscriptions/${encodeURIComponent(told.id)}`);
});
on("test", async () => {
  const box = document.getElementById("tested");
  box.hidden = false;
  box.textContent = "Sending webhook.test…";
  const { ok, told } = await ask("POST", `/${encodeURIComponent(id)}/test`, "{}");
  if (!ok) {
    box.textContent = told.detail;
    return;
  }
  const attempt = told.attempt;
  box.textContent = !attempt ? "It waits; " : attempt.status ? `HTTP ${attempt.status} after ${attempt.duration_ms.toFixed(1)} ms. ` : `${attempt.error}: ${attempt.error_detail}. `;
  const link = document.createElement("a");
  link.href = at(`/messages/${told.message_id}`);
  link.textContent = "See the message";
  box.append(link);
});
on("check", async () => {
  saved.textContent = "Looking…";
  const { told } = await ask("POST", `/${encodeURIComponent(id)}/check`, "{}");
  const seen = told.response_code ? `HTTP ${told.response_code} in ${told.response_time_ms.toFixed(0)} ms` : told.error;
  saved.textContent = `${told.status}: ${seen}`;
});
on("toggle", async (button) => {
  const enabled = button.dataset.enabled !== "enabled";
  const { ok, told } = await ask("PATCH", `/${encodeURIComponent(id)}`, JSON.stringify({ enabled }));
  if (ok) location.reload();
  else showFaults(told);
});
on("delete", async () => {
  const names = document.getElementById("delete").dataset.names;
  const fallback = names ? ` It is the fallback of ${names}.` : "";
  if (!confirm(`Delete this subscription? This cancels its waiting messages.${fallback}`)) return;
  const { ok, told } = await ask("DELETE", `/${encodeURIComponent(id)}`);
  if (ok) location.href = at("/subscriptions");
  else showFaults(told);
});

preview();
