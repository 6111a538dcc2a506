// Dead letters: one, the selected ones, or all of one cause are retried or discarded; many after a question that says how many.
import { at } from "./app.js";

const said = document.getElementById("said");
/** How many retried messages are followed, how often they are looked at, and how long between, in ms. */
const FOLLOWED = 20;
const TURNS = 20;
const PAUSE = 500;
const counted = (count) => (count === 1 ? "1 dead letter" : `${count} dead letters`);

async function ask(method, path, body) {
  const answer = await fetch(at(`/api/v1/dead-letters${path}`), { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const told = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error((told.errors ?? []).map((fault) => fault.message).join(" ") || told.detail);
  return told;
}

/** The counts above the groups and in the menu, after `gone` letters went. */
function showTotals(gone) {
  const groups = [...document.querySelectorAll(".letter-group")];
  const total = groups.reduce((sum, group) => sum + Number(group.dataset.count), 0);
  const answer = document.getElementById("total");
  const more = answer.dataset.more === undefined ? "" : "More than ";
  answer.textContent = `${more}${total.toLocaleString("en")} message${total === 1 ? "" : "s"}${groups.length > 1 ? ` with ${groups.length} causes` : ""}`;
  const badge = document.querySelector('#side a[href$="dead-letters"] .badge');
  if (!badge) return;
  const left = Math.max(0, Number(badge.textContent) - gone);
  if (left === 0) badge.remove();
  else badge.textContent = left;
}

/** Takes `gone` letters off the count of a group, and those rows; a group without letters goes too. */
function lower(group, gone, rows = []) {
  for (const row of rows) row.remove();
  const left = Math.max(0, Number(group.dataset.count) - gone);
  group.dataset.count = left;
  group.querySelector(".of").textContent = left;
  if (left === 0) group.remove();
  else showSelected(group);
  showTotals(gone);
}

function say(words, state = "") {
  said.textContent = words;
  said.dataset.state = state;
}

async function act(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (fault) {
    say(fault.message, "ill");
  }
  button.disabled = false;
}

/** How the last attempt of a retried message ended; nothing while none has. */
async function outcomeOf(id) {
  const answer = await fetch(at(`/api/v1/messages/${encodeURIComponent(id)}`));
  if (!answer.ok) return null;
  const message = await answer.json();
  if (message.status === "delivered") return { words: "delivered", isWell: true };
  const last = message.attempts.filter((attempt) => attempt.started_at >= message.replayed_at).pop();
  if (!last || message.status === "sending") return null;
  return { words: last.status ? `HTTP ${last.status}` : last.error, isWell: false, isDead: message.status === "dead" };
}

/** Adds to `words` how the retries ended, for as long as somebody looks: some seconds. */
async function follow(ids, words) {
  const waiting = new Set(ids.slice(0, FOLLOWED));
  const ended = [];
  for (let turn = 0; turn < TURNS && waiting.size > 0; turn += 1) {
    await new Promise((done) => { setTimeout(done, PAUSE); });
    for (const id of waiting) {
      const outcome = await outcomeOf(id);
      if (!outcome) continue;
      waiting.delete(id);
      ended.push(outcome);
    }
    const failed = ended.filter((outcome) => !outcome.isWell);
    const delivered = ended.length - failed.length;
    const told = [words];
    if (delivered > 0) told.push(`${delivered} delivered.`);
    if (failed.length > 0) {
      told.push(`${failed.length} failed again: ${failed[0].words}.`);
      told.push(failed.some((outcome) => outcome.isDead) ? "Reload the page to see what is dead again." : "The next attempt follows by the schedule.");
    }
    say(told.join(" "), failed.length > 0 ? "ill" : "well");
  }
}

const QUESTIONS = {
  replay: (count) => `Retry ${counted(count)}?`,
  discard: (count) => `Discard ${counted(count)}? Messages and attempts are kept, but they can no longer be retried.`,
};

/** Acts on those that `filter` chooses; returns how many it was done to. */
async function many(kind, filter) {
  const { count, warnings: before = [] } = await ask("POST", `/${kind}`, { ...filter, dry_run: true });
  if (count === 0) {
    say(before.join(" ") || "None are left.");
    return 0;
  }
  if (!confirm([QUESTIONS[kind](count), ...before].join(" "))) {
    say("Nothing was changed.");
    return 0;
  }
  const told = await ask("POST", `/${kind}`, filter);
  const gone = told.replayed ?? told.discarded;
  const words = [kind === "replay" ? `${counted(gone)} queued for retry.` : `${counted(gone)} discarded.`, ...told.warnings ?? []].join(" ");
  say(words, "well");
  if (kind === "replay") follow(told.message_ids, words);
  return gone;
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
    button.addEventListener("click", () => act(button, async () => lower(group, await many(button.dataset.many, filter))));
  }
  for (const button of group.querySelectorAll("[data-chosen-act]")) {
    button.addEventListener("click", () => act(button, async () => {
      const chosen = [...group.querySelectorAll("input[name=letter]:checked")];
      const gone = await many(button.dataset.chosenAct, { ids: chosen.map((box) => box.value) });
      // Some may have to stay: which ones, only a new page tells.
      lower(group, gone, gone < chosen.length ? [] : chosen.map((box) => box.closest("tr")));
    }));
  }
  for (const button of group.querySelectorAll("[data-discard]")) {
    button.addEventListener("click", () => act(button, async () => {
      if (!confirm(QUESTIONS.discard(1))) return say("Nothing was changed.");
      await ask("DELETE", `/${button.dataset.discard}`);
      say("Discarded.", "well");
      return lower(group, 1, [button.closest("tr")]);
    }));
  }
}
// A message has this button on its own page, too.
for (const button of document.querySelectorAll("[data-replay]")) {
  button.addEventListener("click", () => act(button, async () => {
    const id = button.dataset.replay;
    const { warnings } = await ask("POST", `/${id}/replay`, {});
    const words = ["Queued for retry.", ...warnings].join(" ");
    say(words, "well");
    const row = button.closest("tr");
    if (row) lower(row.closest(".letter-group"), 1, [row]);
    else button.hidden = true;
    follow([id], words);
  }));
}
