// Many deliveries sent again: found by a search, looked at as a plan, sent, and watched.
import assert from "node:assert/strict";

export function replaySteps({ newPage, shoot, post, inspector, own }) {
  return {
    async "what a search finds is planned, sent again, and linked"() {
      for (const n of [1, 2, 3]) await post("/webhook/tagorun", `{"id":"rp-${n}","event":"user.login","bulk":"again"}`, {}, "a secret of somebody else");
      const page = await newPage();
      await page.goto(`${inspector}/?reason=signature_mismatch&q=${encodeURIComponent('body:"again"')}`);
      await page.getByRole("link", { name: "Replay all…" }).click();
      await page.waitForURL(/\/replays\?q=/);
      assert.equal(await page.getByLabel("Search", { exact: true }).inputValue(), 'reason:signature_mismatch body:"again"');
      await page.getByLabel("Rate").fill("never");
      await page.getByRole("button", { name: "Preview" }).click();
      assert.match(await page.getByRole("alert").innerText(), /a number of deliveries a second/);
      await page.getByLabel("Rate").fill("20/s");
      await page.locator('select[name="to"]').selectOption("url");
      await page.getByLabel("Custom URL", { exact: true }).fill(own.url);
      await page.locator('select[name="order"]').selectOption("newest");
      await page.getByRole("button", { name: "Preview" }).click();
      assert.match(await page.locator("#plan .diagnosis").innerText(), /^3 deliveries will be replayed to .*newest first, one at a time, at most 20 per second, in at least 0 s/);
      await page.screenshot({ path: new URL("shots/replays-plan.png", import.meta.url).pathname, fullPage: true });
      await page.getByRole("button", { name: "Replay 3 deliveries" }).click();
      await page.waitForURL(/\/replays\/[0-9a-f-]+$/);
      await page.locator("#progress:not([data-running])").waitFor({ timeout: 10000 });
      assert.match(await page.locator("#sentence").innerText(), /3 of 3 replayed: 3 succeeded, 0 failed/);
      assert.equal(await page.locator("tbody tr").count(), 3);
      await shoot(new URL(page.url()).pathname, "replay-run");
      await shoot(`/replays?q=${encodeURIComponent("verdict:rejected")}`, "replays");
      await page.locator("tbody a").first().click();
      await page.waitForURL(/\/deliveries\//);
      assert.match(await page.locator("#again").innerText(), /answered 200/);
      await page.context().close();
    },

    async "what is selected in the list is replayed, and nothing else"() {
      for (let n = 0; n < 50; n += 1) await post("/webhook/tagorun", `not json, to select ${n}`);
      for (const width of [390, 1280, 1920]) {
        const page = await newPage({ viewport: { width, height: 844 } });
        await page.goto(`${inspector}/?q=${encodeURIComponent('body:"to select"')}`);
        const bulk = page.locator("#bulk");
        await bulk.getByRole("link", { name: "Replay all…" }).waitFor();
        await page.getByRole("button", { name: "Select", exact: true }).click();
        assert.equal(await bulk.locator("a[href]").count(), 0, "nothing can be done to an empty selection");
        await bulk.getByText("Replay 0 selected…").waitFor();
        // As people do: the first row, then a wheel, then one further down, back up, and the button.
        const ids = [];
        const tick = async (y) => {
          const row = page.locator("#rows tr[data-id]").nth(await page.evaluate((y) => [...document.querySelectorAll("#rows tr[data-id]")].findIndex((row) => row.getBoundingClientRect().top > y), y));
          const box = await row.locator(".pick-row").boundingBox();
          await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
          ids.push(await row.getAttribute("data-id"));
        };
        await tick(0);
        await bulk.getByRole("link", { name: "Replay 1 selected…" }).waitFor();
        await page.mouse.wheel(0, 700);
        await page.waitForFunction(() => scrollY === 700);
        await tick(300);
        await page.screenshot({ path: new URL(`shots/selected-rows-${width}.png`, import.meta.url).pathname });
        await page.mouse.wheel(0, -700);
        await page.waitForFunction(() => scrollY === 0);
        await page.screenshot({ path: new URL(`shots/selected-${width}.png`, import.meta.url).pathname });
        for (const link of await bulk.locator("a").all()) {
          assert.match(await link.getAttribute("href"), new RegExp(`ids=${ids.join(",")}$`), "every action is for the selection");
        }
        await bulk.getByRole("link", { name: "Replay 2 selected…" }).click();
        await page.waitForURL(/\/replays\?ids=/);
        assert.match(await page.locator("#selection").innerText(), /^2 selected deliveries/);
        assert.equal(await page.getByLabel("Search", { exact: true }).isVisible(), false);
        await page.locator('select[name="to"]').selectOption("url");
        await page.getByLabel("Custom URL", { exact: true }).fill(own.url);
        await page.getByRole("button", { name: "Preview" }).click();
        assert.match(await page.locator("#plan .diagnosis").innerText(), /^2 deliveries will be replayed to /);
        await page.screenshot({ path: new URL(`shots/selected-plan-${width}.png`, import.meta.url).pathname, fullPage: true });
        await page.getByRole("button", { name: "Replay 2 deliveries" }).click();
        await page.locator("#progress:not([data-running])").waitFor({ timeout: 10000 });
        assert.match(await page.locator("#sentence").innerText(), /2 of 2 replayed: 2 succeeded, 0 failed/);
        const sent = await page.locator("tbody a").evaluateAll((links) => links.map((link) => link.href.split("/").at(-1)));
        assert.deepEqual(sent.toSorted(), ids.toSorted());
        await page.getByRole("link", { name: "2 selected deliveries" }).click();
        await page.waitForURL(/\?ids=/);
        assert.equal(await page.locator("#rows tr[data-id]").count(), 2);
        await page.context().close();
      }
    },

    async "a selection can be replayed beside an open delivery, and one that is gone is missed"() {
      for (const n of [1, 2]) await post("/webhook/tagorun", `not json, beside ${n}`);
      const page = await newPage({ colorScheme: "dark" });
      await page.goto(`${inspector}/?q=${encodeURIComponent('body:"beside"')}`);
      await page.getByRole("button", { name: "Select", exact: true }).click();
      await page.locator(".pick-row").first().check();
      await page.locator("#rows tr[data-id]").nth(1).click();
      await page.locator("#detail #diagnosis").waitFor();
      await page.screenshot({ path: new URL("shots/selected-beside.png", import.meta.url).pathname });
      const id = await page.locator("#rows tr[data-id]").first().getAttribute("data-id");
      await page.getByRole("link", { name: "Replay 1 selected…" }).click();
      await page.waitForURL(/\/replays\?ids=/);
      await page.goto(`${inspector}/replays?ids=${id},0195799f-0000-7000-8000-000000000000`);
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByText("1 of the selected deliveries is no longer stored.").waitFor();
      await page.context().close();
    },

    async "a run is stopped and resumed by its buttons, without scripts too"() {
      for (const n of [1, 2, 3]) await post("/webhook/tagorun", `not json, by hand ${n}`);
      const page = await newPage({ javaScriptEnabled: false });
      await page.goto(`${inspector}/replays?q=${encodeURIComponent('body:"by hand"')}&rate=1%2Fh`);
      await page.locator('select[name="to"]').selectOption("url");
      await page.getByLabel("Custom URL", { exact: true }).fill(own.url);
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByRole("button", { name: "Replay 3 deliveries" }).click();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("button", { name: "Resume" }).click();
      await page.getByRole("button", { name: "Stop" }).click();
      assert.equal(await page.locator(".title-row .pill").innerText(), "stopped");
      await page.context().close();
    },
  };
}
