// Many deliveries sent again: found by a search, looked at as a plan, sent, and watched.
import assert from "node:assert/strict";

export function replaySteps({ newPage, shoot, post, inspector, own }) {
  return {
    async "what a search finds is planned, sent again, and linked"() {
      for (const n of [1, 2, 3]) await post("/webhook/tagorun", `{"id":"rp-${n}","event":"user.login","bulk":"again"}`, {}, "a secret of somebody else");
      const page = await newPage();
      await page.goto(`${inspector}/?reason=signature_mismatch&q=${encodeURIComponent('body:"again"')}`);
      await page.getByRole("link", { name: "Send all of it again…" }).click();
      await page.waitForURL(/\/replays\?q=/);
      assert.equal(await page.getByLabel("Deliveries that fit this search").inputValue(), 'reason:signature_mismatch body:"again"');
      await page.getByLabel("Rate").fill("never");
      await page.getByRole("button", { name: "Show what would go" }).click();
      assert.match(await page.getByRole("alert").innerText(), /a number of deliveries a second/);
      await page.getByLabel("Rate").fill("20/s");
      await page.locator('select[name="to"]').selectOption("url");
      await page.getByLabel("URL", { exact: true }).fill(own.url);
      await page.locator('select[name="order"]').selectOption("newest");
      await page.getByRole("button", { name: "Show what would go" }).click();
      assert.match(await page.locator("#plan .diagnosis").innerText(), /^3 deliveries would go to .*newest first, one after the other, at most 20 a second: at least 0 s/);
      await page.screenshot({ path: new URL("shots/replays-plan.png", import.meta.url).pathname, fullPage: true });
      await page.getByRole("button", { name: "Send 3 again" }).click();
      await page.waitForURL(/\/replays\/[0-9a-f-]+$/);
      await page.locator("#progress:not([data-running])").waitFor({ timeout: 10000 });
      assert.match(await page.locator("#sentence").innerText(), /Of 3 deliveries 3 are through: 3 answered well, 0 failed/);
      assert.equal(await page.locator("tbody tr").count(), 3);
      await shoot(new URL(page.url()).pathname, "replay-run");
      await shoot(`/replays?q=${encodeURIComponent("verdict:rejected")}`, "replays");
      await page.locator("tbody a").first().click();
      await page.waitForURL(/\/deliveries\//);
      assert.match(await page.locator("#again").innerText(), /answered 200/);
      await page.context().close();
    },

    async "a run is stopped and resumed by its buttons, without scripts too"() {
      for (const n of [1, 2, 3]) await post("/webhook/tagorun", `not json, by hand ${n}`);
      const page = await newPage({ javaScriptEnabled: false });
      await page.goto(`${inspector}/replays?q=${encodeURIComponent('body:"by hand"')}&rate=1%2Fh`);
      await page.getByLabel("URL", { exact: true }).fill(own.url);
      await page.locator('select[name="to"]').selectOption("url");
      await page.getByRole("button", { name: "Show what would go" }).click();
      await page.getByRole("button", { name: "Send 3 again" }).click();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("button", { name: "Resume" }).click();
      await page.getByRole("button", { name: "Stop" }).click();
      assert.equal(await page.locator(".title-row .pill").innerText(), "stopped");
      await page.context().close();
    },
  };
}
