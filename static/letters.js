// Dead letters: one, the selected ones, or all of one cause are retried or discarded; many after a question that says how many.
import { at } from "./app.js";

const said = document.getElementById("said");
const counted = (count) => (count === 1 ? "1 dead letter" : `${count} dead letters`);

async function ask(method, path, body) {
  const answer = await fetch(at(`/api/v1/dead-letters${path}`), { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const told = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error((told.errors ?? []).map((fault) => fault.message).join(" ") || told.detail);
  return told;
}

/** Takes rows away that are done, and what is empty then. */
function remove(rows) {
  for (const row of rows) {
    const group = row.closest(".letter-group");
    row.remove();
    if (!group) continue;
    const left = Math.max(0, Number(group.dataset.count) - 1);
    group.dataset.count = left;
    group.querySelector(".of").textContent = left;
    if (left === 0) group.remove();
    else showSelected(group);
  }
}

async function act(button, work) {
  button.disabled = true;
  try {
    said.textContent = await work();
  } catch (fault) {
    said.textContent = fault.message;
  }
  button.disabled = false;
}

const QUESTIONS = {
  replay: (count) => `Retry ${counted(count)}?`,
  discard: (count) => `Discard ${counted(count)}? Messages and attempts are kept, but they can no longer be retried.`,
};

/** Acts on those that `filter` chooses; returns what to say, and whether all of them are done. */
async function many(kind, filter) {
  const { count, warnings: before = [] } = await ask("POST", `/${kind}`, { ...filter, dry_run: true });
  if (count === 0) return [before.join(" ") || "None are left.", false];
  if (!confirm([QUESTIONS[kind](count), ...before].join(" "))) return ["Nothing was changed.", false];
  const told = await ask("POST", `/${kind}`, filter);
  const warnings = told.warnings ?? [];
  const words = kind === "replay" ? `${counted(told.replayed)} queued for retry.` : `${counted(told.discarded)} discarded.`;
  return [[words, ...warnings].join(" "), (told.replayed ?? told.discarded) >= count];
}

function showSelected(group) {
  const chosen = group.querySelectorAll("input[name=letter]:checked").length;
  const bar = group.querySelector(".selected");
  if (!bar) return;
  bar.hidden = chosen === 0;
  bar.querySelector("[data-chosen]").textContent = `${chosen} selected`;
}

for (const group of document.querySelectorAll(".letter-group")) {
  const { subscription, error, type } = group.dataset;
  const filter = { subscription_id: subscription, error_is: error, ...(type ? { event_type: type } : {}) };
  group.addEventListener("change", () => showSelected(group));
  for (const button of group.querySelectorAll("[data-many]")) {
    button.addEventListener("click", () => act(button, async () => {
      const [words, isDone] = await many(button.dataset.many, filter);
      if (isDone) group.remove();
      return words;
    }));
  }
  for (const button of group.querySelectorAll("[data-chosen-act]")) {
    button.addEventListener("click", () => act(button, async () => {
      const chosen = [...group.querySelectorAll("input[name=letter]:checked")];
      const [words, isDone] = await many(button.dataset.chosenAct, { ids: chosen.map((box) => box.value) });
      if (isDone) remove(chosen.map((box) => box.closest("tr")));
      return words;
    }));
  }
}
for (const button of document.querySelectorAll("[data-replay]")) {
  button.addEventListener("click", () => act(button, async () => {
    const { warnings } = await ask("POST", `/${button.dataset.replay}/replay`, {});
    if (button.closest("tr")) remove([button.closest("tr")]);
    return ["Queued for retry.", ...warnings].join(" ");
  }));
}
for (const button of document.querySelectorAll("[data-discard]")) {
  button.addEventListener("click", () => act(button, async () => {
    if (!confirm(QUESTIONS.discard(1))) return "Nothing was changed.";
    await ask("DELETE", `/${button.dataset.discard}`);
    remove([button.closest("tr")]);
    return "Discarded.";
  }));
}
