// Subscriptions that are not in force: deleted after a question, because that cancels what is parked.
"use strict";

for (const button of document.querySelectorAll("[data-delete]")) {
  button.addEventListener("click", async () => {
    const { delete: id, messages } = button.dataset;
    const cancels = messages === "0" ? "" : ` This cancels ${messages === "1" ? "1 parked message" : `${messages} parked messages`}.`;
    if (!confirm(`Delete subscription ${id}?${cancels}`)) return;
    button.disabled = true;
    const answer = await fetch(at(`/api/v1/subscriptions/${encodeURIComponent(id)}`), { method: "DELETE", headers: { "Content-Type": "application/json" } });
    if (answer.ok) return location.reload();
    document.getElementById("said").textContent = (await answer.json()).detail;
    button.disabled = false;
  });
}
