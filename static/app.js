// Copy buttons, local times, and the test delivery without leaving the page. Everything works without it.
"use strict";

function localTime(time) {
  const date = new Date(time.dateTime);
  if (!Number.isNaN(date.getTime())) {
    time.title = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" }) + " (your time)";
  }
}

async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
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
    said.textContent = answer.ok ? `Sent; the receiver answered ${body.status}.` : body.detail;
  } catch {
    said.textContent = "The inspector does not answer.";
  }
  button.disabled = false;
}

for (const time of document.querySelectorAll("time")) localTime(time);
for (const button of document.querySelectorAll("[data-copy]")) {
  const from = document.getElementById(button.dataset.copy);
  if (!from) continue;
  button.hidden = false;
  button.addEventListener("click", () => copy(button, from.textContent));
}
for (const button of document.querySelectorAll("[data-copy-link]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button, location.href));
}
for (const form of document.querySelectorAll("[data-send-test]")) {
  form.addEventListener("submit", (event) => { event.preventDefault(); sendTest(form); });
}
