// Dead letters: send again, drop, send all that match again after saying how many.
import { at } from "./app.js";

const said = document.getElementById("said");

async function ask(method, path, body) {
  const answer = await fetch(at(`/api/v1/dead-letters${path}`), { method, headers: { "Content-Type": "application/json" }, body });
  const told = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

async function act(button, work) {
  button.disabled = true;
  try {
    said.textContent = await work();
    if (button.closest("tr")) button.closest("tr").remove();
  } catch (fault) {
    said.textContent = fault.message;
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("[data-replay]")) {
  button.addEventListener("click", () => act(button, async () => {
    const { warnings } = await ask("POST", `/${button.dataset.replay}/replay`, "{}");
    return ["It is sent again.", ...warnings].join(" ");
  }));
}
for (const button of document.querySelectorAll("[data-drop]")) {
  button.addEventListener("click", () => {
    if (!confirm("Drop this dead letter? Its message and attempts stay, but it can no longer be sent again.")) return;
    act(button, async () => {
      await ask("DELETE", `/${button.dataset.drop}`);
      return "Dropped.";
    });
  });
}
const all = document.getElementById("replay-all");
all?.addEventListener("click", () => act(all, async () => {
  const filter = {};
  if (all.dataset.subscription) filter.subscription_id = all.dataset.subscription;
  if (all.dataset.type) filter.event_type = all.dataset.type;
  if (all.dataset.error) filter.error = all.dataset.error;
  const { count } = await ask("POST", "/replay", JSON.stringify({ ...filter, dry_run: true }));
  if (!confirm(`Send ${count} dead letters again?`)) throw new Error("Nothing was sent.");
  const { replayed, warnings } = await ask("POST", "/replay", JSON.stringify(filter));
  return [`${replayed} are sent again.`, ...warnings].join(" ");
}));
