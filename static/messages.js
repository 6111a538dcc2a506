// Messages that wait: sent now or cancelled, one, or all that match after a question that says how many.
import { at } from "./app.js";

const outcome = document.getElementById("said");

async function tell(path, body) {
  const answer = await fetch(at(`/api/v1/messages${path}`), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

const counted = (count) => (count === 1 ? "1 message" : `${count} messages`);

async function actOnMany(act, { status, subscription, event }) {
  const filter = { all: true };
  if (status) filter.status = status;
  if (subscription) filter.subscription_id = subscription;
  if (event) filter.event_id = event;
  const { count, warnings } = await tell(`/${act}`, { ...filter, dry_run: true });
  if (count === 0) return "No message can be chosen now.";
  const question = act === "cancel" ? `Cancel ${counted(count)}?` : `Send ${counted(count)} now?`;
  if (!confirm([question, ...warnings].join(" "))) return "Nothing was changed.";
  const told = await tell(`/${act}`, filter);
  const words = act === "cancel" ? `${counted(told.cancelled)} cancelled.` : `${counted(told.sent_now)} queued to be sent now.`;
  return [words, ...told.warnings].join(" ");
}

async function actOnOne(act, id) {
  if (act === "cancel" && !confirm("Cancel this message? It is not sent.")) return "Nothing was changed.";
  const { warnings } = await tell(`/${id}/${act}`, {});
  return [act === "cancel" ? "Cancelled." : "Queued to be sent now.", ...warnings].join(" ");
}

for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", async () => {
    const { act, id } = button.dataset;
    button.disabled = true;
    try {
      outcome.textContent = id ? await actOnOne(act, id) : await actOnMany(act, button.parentElement.dataset);
    } catch (fault) {
      outcome.textContent = fault.message;
    }
    button.disabled = false;
  });
}
