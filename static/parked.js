// Subscriptions that are not in force: deleted after a question, because that cancels what is parked; and what is parked
// moved after a question, because that sends it.
import { at } from "./app.js";

const inWords = (messages) => (messages === "1" ? "1 parked message" : `${messages} parked messages`);
const said = (text) => (document.getElementById("said").textContent = text);
const ask = (method, path, body) =>
  fetch(at(`/api/v1/${path}`), { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });

for (const button of document.querySelectorAll("[data-move]")) {
  button.addEventListener("click", async () => {
    const { move: id, messages } = button.dataset;
    const { value: to, selectedOptions } = button.parentElement.querySelector("select");
    if (!confirm(`Move ${inWords(messages)} to ${selectedOptions[0].text}? That subscription sends ${messages === "1" ? "it" : "them"} now.`)) return;
    button.disabled = true;
    const answer = await ask("POST", "messages/move", { subscription_id: id, to });
    const told = await answer.json();
    button.disabled = false;
    if (!answer.ok) return said(told.errors.map((fault) => fault.message).join(" ") || told.detail);
    if (told.skipped.length === 0) return location.reload();
    said(`${told.moved} moved, ${told.skipped.length} not: ${told.skipped[0].why}`);
  });
}

for (const button of document.querySelectorAll("[data-delete]")) {
  button.addEventListener("click", async () => {
    const { delete: id, messages } = button.dataset;
    const cancels = messages === "0" ? "" : ` This cancels ${inWords(messages)}.`;
    if (!confirm(`Delete subscription ${id}?${cancels}`)) return;
    button.disabled = true;
    const answer = await ask("DELETE", `subscriptions/${encodeURIComponent(id)}`);
    if (answer.ok) return location.reload();
    said((await answer.json()).detail);
    button.disabled = false;
  });
}
