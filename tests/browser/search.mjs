// The search box: help that can be clicked, values that lead to it, searches with a name, live all the while.
import assert from "node:assert/strict";
import { startProgram } from "./program.mjs";

export function searchSteps({ newPage, isAccessible, shoot, shots, post, inspector, program }) {
  return {
    async "a search that stops early says how far it came, and goes on at a click until it has found everything"() {
      // Each step reads as little as it may.
      const own = await startProgram(program, { config: '[inspector]\nsearch_time = "0s"\n[receiver]\ncapture_rate = "1000/s"\n' });
      try {
        for (let n = 0; n < 300; n += 1) {
          await fetch(`${own.receiver}/webhook-test`, { method: "POST", body: n === 0 ? "the oldest needle" : n === 299 ? "the newest needle" : "hay" });
        }
        for (const [colorScheme, width] of [["light", 1280], ["dark", 390]]) {
          const page = await newPage({ colorScheme, viewport: { width, height: 860 } });
          page.own = own.base;
          await page.goto(`${own.base}/?q=body%3Aneedle`);
          const further = page.getByRole("link", { name: "Search further back" });
          await further.waitFor();
          assert.match(await page.locator(".older").innerText(), /^Searched back to /);
          assert.equal(await page.locator("#rows tr[data-id]").count(), 1);
          await isAccessible(page, "searched back");
          await page.screenshot({ path: new URL(`searched-back-${width}-${colorScheme}.png`, shots).pathname });
          let found = 0;
          while (await further.count() > 0) {
            await further.click();
            await page.waitForLoadState();
            found += await page.locator("#rows tr[data-id]").count();
          }
          assert.equal(found, 1, "the oldest one");
          assert.equal(await page.locator(".older").count(), 0);
          await page.context().close();
        }
      } finally {
        await own.end();
      }
    },

    async "a search is found in the help, saved under a name, kept live, and removed"() {
      await post("/webhook/tagorun", "no json, for the search");
      const page = await newPage();
      await page.goto(inspector);
      await page.getByLabel("Search help").click();
      await page.getByRole("link", { name: "verdict:rejected" }).click();
      assert.equal(await page.getByLabel("Search", { exact: true }).inputValue(), "verdict:rejected");
      await page.keyboard.press("Enter");
      await page.waitForURL(/q=verdict%3Arejected/);
      await page.getByLabel("Search", { exact: true }).fill('verdict:rejected AND (body:"for the search" OR id:nothing) after:-2h');
      await page.keyboard.press("Enter");
      await page.waitForURL(/after%3A-2h/);
      await page.waitForSelector('#light[data-state="live"]');
      assert.equal(await page.locator("#rows tr[data-id]").count(), 1);
      await page.getByText("Save this search").click();
      await page.getByLabel("Name of this search").fill("<b>mine</b>");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      const saved = page.locator(".saved-search", { hasText: "<b>mine</b>" });
      await saved.waitFor();
      await page.waitForSelector('#light[data-state="live"]');
      await post("/webhook/tagorun", "no json, for the search again");
      await post("/webhook/tagorun", "no json, for something else");
      await page.locator("#rows tr[data-id]").nth(1).waitFor();
      assert.equal(await page.locator("#rows tr[data-id]").count(), 2);
      await shoot(new URL(page.url()).pathname + new URL(page.url()).search, "list-searched");
      await page.getByLabel("Search", { exact: true }).fill("colour:red");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      assert.match(await page.getByRole("alert").innerText(), /Unknown field “colour”/);
      await saved.getByRole("link").click();
      await page.waitForURL(/for\+the\+search|for%20the%20search/);
      await page.getByRole("button", { name: "Remove this saved search" }).click();
      await saved.waitFor({ state: "detached" });
      await page.locator("#rows a").first().click({ modifiers: [] });
      await page.locator("#detail #diagnosis").waitFor();
      await page.locator("#detail .facts").getByRole("link", { name: "tagorun" }).click();
      await page.waitForURL(/q=source%3A/);
      assert(await page.locator("#rows tr[data-id]").count() >= 3);
      await page.context().close();
    },
  };
}
