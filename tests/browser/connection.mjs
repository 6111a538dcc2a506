// A live page through a wire that breaks, and through one that goes dead without a word.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";

/** A wire to the inspector: "open", "broken" (connections end, new ones too), "dead" (nothing passes any more on those there are). */
function wire(inspector) {
  const { hostname, port } = new URL(inspector);
  const pairs = new Set();
  let state = "open";
  const server = createServer((near) => {
    if (state === "broken") { near.destroy(); return; }
    const far = connect(Number(port), hostname);
    const pair = { near, far, isDead: false };
    pairs.add(pair);
    const pass = (from, to) => {
      from.on("data", (bytes) => { if (!pair.isDead) to.write(bytes); });
      from.on("close", () => { if (!pair.isDead) to.destroy(); pairs.delete(pair); });
      from.on("error", () => {});
    };
    pass(near, far);
    pass(far, near);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    turn(next) {
      state = next;
      for (const pair of pairs) {
        if (next === "broken") { pair.near.destroy(); pair.far.destroy(); }
        if (next === "dead") pair.isDead = true;
      }
      if (next === "dead") state = "open";
    },
    close() { for (const pair of pairs) { pair.near.destroy(); pair.far.destroy(); } server.close(); },
  })));
}

export function connectionSteps({ newPage, post, inspector }) {
  const send = (id) => post("/webhook/tagorun", `{"id":"${id}","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z"}`);

  return {
    async "ui_10 a live page says when its connection is gone, comes again, and has no gap and no repeat"() {
      const line = await wire(inspector);
      await send("ui-10-before");
      const page = await newPage();
      page.own = line.url;
      page.ignoresStatus = true;
      await page.goto(line.url);
      await page.waitForSelector('#light[data-state="live"]');
      const count = (id) => page.locator("#rows tr", { hasText: id }).count();
      line.turn("broken");
      await page.waitForSelector('#light[data-state="off"]');
      assert.equal(await page.locator(".light-words").innerText(), "Reconnecting…");
      for (const n of [1, 2, 3]) await send(`ui-10-broken-${n}`);
      line.turn("open");
      await page.locator("#rows tr", { hasText: "ui-10-broken-3" }).waitFor({ timeout: 15000 });
      assert.equal(await page.locator(".light-words").innerText(), "Live");
      for (const n of [1, 2, 3]) assert.equal(await count(`ui-10-broken-${n}`), 1);
      line.turn("dead");
      await send("ui-10-dead");
      await page.waitForTimeout(1500);
      assert.equal(await count("ui-10-dead"), 0, "the wire is dead");
      await page.locator("#rows tr", { hasText: "ui-10-dead" }).waitFor({ timeout: 40000 });
      assert.equal(await count("ui-10-dead"), 1);
      assert.equal(await page.locator(".light-words").innerText(), "Live");
      await page.context().close();
      line.close();
    },

    async "two hundred tabs are live at once, and one that nobody sees lets go"() {
      // As many as a browser would hold open if each had its own connection.
      const streams = await Promise.all(Array.from({ length: 200 }, async () => {
        const abort = new AbortController();
        const answer = await fetch(`${inspector}/api/v1/deliveries/stream`, { signal: abort.signal });
        assert.equal(answer.status, 200);
        return { abort, reader: answer.body.getReader() };
      }));
      const page = await newPage();
      await page.goto(inspector);
      await page.waitForSelector('#light[data-state="live"]');
      const heard = Promise.all(streams.map(async ({ reader }) => {
        let text = "";
        while (!text.includes("two-hundred")) text += Buffer.from((await reader.read()).value ?? []).toString();
      }));
      await send("two-hundred");
      await page.locator("#rows tr", { hasText: "two-hundred" }).waitFor({ timeout: 5000 });
      await heard;
      // The last one never reads: nobody waits for it.
      for (const { abort } of streams.slice(0, 199)) abort.abort();
      for (let n = 0; n < 300; n += 1) await send(`slow-${n}`);
      await page.locator("#rows tr", { hasText: "slow-299" }).waitFor({ timeout: 5000 });
      assert(await page.locator("#rows tr[data-id]").count() <= 300);
      streams[199].abort.abort();
      await page.evaluate(() => {
        Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      });
      await page.waitForSelector('#light[data-state="resting"]');
      await send("while-hidden");
      await page.evaluate(() => {
        Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      });
      await page.locator("#rows tr", { hasText: "while-hidden" }).waitFor({ timeout: 5000 });
      await page.context().close();
    },

    async "twelve windows of one browser are all loaded, and those that were come to last are live"() {
      const first = await newPage();
      const pages = [first];
      while (pages.length < 12) pages.push(await first.context().newPage());
      for (const page of pages) await page.goto(inspector, { timeout: 8000 });
      await pages[11].waitForSelector('#light[data-state="live"]');
      const states = await Promise.all(pages.map((page) => page.locator("#light").getAttribute("data-state")));
      assert.equal(states.filter((state) => state === "live").length, 4, states.join(" "));
      const resting = pages[states.indexOf("resting")];
      assert.equal(await resting.locator(".light-words").innerText(), "Paused while in the background");
      await send("twelve");
      await resting.evaluate(() => window.dispatchEvent(new Event("focus")));
      await resting.locator("#rows tr", { hasText: "twelve" }).waitFor({ timeout: 5000 });
      await first.context().close();
    },
  };
}
