// An entry of the configuration that is left out and put back, and messages that wait, sent now or cancelled: on a program
// of its own, whose configuration is tagohook.toml in its data directory.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

const entry = (url, keys) => `[[subscription]]\n${keys}\nurl = "${url}/door?status=500"\nevents = ["door.*"]\n`;

export function parkedSteps({ newPage, shoot, folder, own }) {
  const { inspector, pid } = JSON.parse(readFileSync(`${folder}/addresses.json`, "utf8"));
  const base = `http://${inspector}`;

  async function api(method, path, body) {
    const answer = await fetch(`${base}/api/v1/${path}`, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
    assert(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.json();
  }

  async function until(what, found) {
    const end = Date.now() + 10000;
    while (!(await found())) {
      assert(Date.now() < end, `${what} did not come`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const messages = async (query) => (await api("GET", `messages?${query}`)).messages;
  async function configure(text) {
    writeFileSync(`${folder}/tagohook.toml`, text);
    process.kill(pid, "SIGHUP");
  }

  async function open(path, confirms) {
    const page = await newPage({}, confirms);
    await page.goto(base + path);
    return page;
  }

  return {
    async "messages of an entry that is left out are shown as parked, with what to do, until it is back"() {
      const text = entry(own.url, 'name = "Door <alarm>"');
      await configure(text);
      await until("the entry", async () => (await api("GET", "subscriptions")).subscriptions.length === 1);
      for (const id of ["d1", "d2", "d3"]) await api("POST", "events", { event: "door.open", id });
      await until("their first attempts", async () => (await messages("status=pending")).filter((row) => row.attempts === 1).length === 3);
      await configure("");
      await until("the parked ones", async () => (await messages("status=parked")).length === 3);
      const page = await open("/subscriptions");
      const panel = page.locator("[data-parked=door-alarm]");
      assert.match(await panel.innerText(), /Door <alarm> missing, 3 messages parked/);
      assert.match(await panel.innerText(), /missing from the configuration since .* give it id = "door-alarm"/s);
      await shoot("/subscriptions", "subscriptions-parked", base);
      await panel.getByRole("link", { name: "View messages" }).click();
      await page.waitForURL(/status=parked/);
      assert.equal(await page.locator("tbody .pill.parked").count(), 3);
      assert.equal(await page.getByRole("button", { name: "Send all" }).count(), 0, "nothing parked can be sent");
      await page.locator("tbody tr a").first().click();
      await page.locator(".warning", { hasText: "This message is parked: neither sent nor cancelled." }).waitFor();
      await shoot(new URL(page.url()).pathname, "message-parked", base);
      await page.goto(`${base}/overview`);
      assert.match(await page.locator(".attention").innerText(), /3 messages are parked\./);
      await page.context().close();
      await configure(text);
      await until("all of them", async () => (await messages("status=pending")).length === 3);
    },

    async "a waiting message of an entry is sent now or cancelled by its button, and all that match after a question"() {
      let first;
      await until("a message that waits", async () => { [first] = await messages("status=pending"); return first; });
      const before = own.seen.length;
      const page = await open(`/messages/${first.id}`);
      await page.getByRole("button", { name: "Send now" }).click();
      await page.locator("#said", { hasText: "Queued to be sent now." }).waitFor();
      await until("the request", () => own.seen.length > before);
      await page.context().close();
      const brave = await open(`/messages/${first.id}`, true);
      await until("its retry", async () => (await api("GET", `messages/${first.id}`)).status === "pending");
      await brave.getByRole("button", { name: "Cancel" }).click();
      await brave.locator("#said", { hasText: "Cancelled." }).waitFor();
      await brave.goto(`${base}/messages`);
      await brave.getByRole("button", { name: "Cancel all matching…" }).click();
      await brave.locator("#said", { hasText: "2 messages cancelled." }).waitFor();
      await brave.goto(`${base}/messages?status=cancelled`);
      await brave.getByRole("button", { name: "Send all matching now…" }).click();
      await brave.locator("#said", { hasText: "3 messages queued to be sent now." }).waitFor();
      await brave.context().close();
    },

    async "an entry that is gone for good is deleted on the page, which cancels what is parked"() {
      await until("all to wait", async () => (await messages("status=pending")).length === 3);
      await configure("");
      await until("the parked ones", async () => (await messages("status=parked")).length === 3);
      const brave = await open("/subscriptions", true);
      await brave.locator("[data-parked=door-alarm]").getByRole("button", { name: "Delete…" }).click();
      await brave.locator("[data-parked]").waitFor({ state: "detached" });
      assert.equal((await messages("status=cancelled")).length, 3);
      await brave.context().close();
    },

    async "what is parked is moved on the page to another subscription"() {
      await configure(entry(own.url, 'name = "Gate"'));
      await until("the entry", async () => (await api("GET", "subscriptions")).subscriptions.length === 1);
      await api("POST", "events", { event: "door.open", id: "m1" });
      await until("its first attempt", async () => (await messages("subscription_id=gate&status=pending")).some((row) => row.attempts === 1));
      await configure(entry(own.url, 'name = "New gate"'));
      await until("the parked one", async () => (await messages("subscription_id=gate&status=parked")).length === 1);
      const brave = await open("/subscriptions", true);
      const panel = brave.locator("[data-parked=gate]");
      await panel.getByLabel("Move them").selectOption({ label: "New gate" });
      await panel.getByRole("button", { name: "Move…" }).click();
      await panel.waitFor({ state: "detached" });
      assert.equal((await messages("event_id=m1"))[0].subscription_id, "new-gate");
      await brave.context().close();
    },
  };
}
