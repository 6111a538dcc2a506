// Copy buttons, local times, and the test delivery without leaving the page. Everything works without it.

import "./menu.js";

/** The address of one of our pages or answers. Behind a proxy the inspector may be under a path; this script tells where. */
export const at = (path) => new URL(`..${path}`, import.meta.url).href;

/** What this browser keeps for the pages; where it keeps nothing, nothing is kept. */
export const kept = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* Not here. */ } },
};

export function localTime(time) {
  const date = new Date(time.dateTime);
  if (!Number.isNaN(date.getTime())) {
    const local = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }) + " (your time)";
    if (!time.title.includes(local)) time.title = [time.title, local].filter(Boolean).join("\n");
  }
}

async function exactText(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("gone");
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await answer.arrayBuffer());
}

export async function copyText(button, read) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(await read());
    button.textContent = "Copied";
  } catch {
    button.textContent = "Cannot copy here";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

async function sendTest(form) {
  const button = form.querySelector("button");
  const said = form.querySelector("[data-said]");
  button.disabled = true;
  said.textContent = "Sending…";
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
    const body = await answer.json();
    const way = body.through ? `through ${body.through}` : "directly to the receiver";
    said.textContent = answer.ok ? `Test delivery sent ${way}: answered ${body.status}.` : body.detail;
    if (body.delivery_id) {
      const link = document.createElement("a");
      link.href = at(`/deliveries/${encodeURIComponent(body.delivery_id)}`);
      link.textContent = "View it";
      said.append(" ", link);
    }
  } catch {
    said.textContent = "The inspector does not answer.";
  }
  button.disabled = false;
}

/** Gives what is in `root` its behaviour. */
export function wire(root) {
  for (const time of root.querySelectorAll("time")) localTime(time);
  for (const button of root.querySelectorAll("[data-copy]")) {
    const from = document.getElementById(button.dataset.copy);
    if (!from) continue;
    button.hidden = false;
    // Where marks stand for characters, the characters themselves are copied.
    const url = button.dataset.copyUrl;
    button.addEventListener("click", () => copyText(button, () => url ? exactText(url) : from.textContent));
  }
  for (const link of root.querySelectorAll("[data-copy-export]")) {
    link.setAttribute("role", "button");
    link.addEventListener("click", (event) => { event.preventDefault(); copyText(link, () => exactText(link.href)); });
  }
  for (const button of root.querySelectorAll("[data-copy-link]")) {
    button.hidden = false;
    button.addEventListener("click", () => copyText(button, () => new URL(button.dataset.copyLink, location.href).href));
  }
  for (const form of root.querySelectorAll("[data-send-test]")) {
    form.addEventListener("submit", (event) => { event.preventDefault(); sendTest(form); });
  }
}

wire(document);
