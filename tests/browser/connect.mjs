// From nothing to a first delivery, as a person goes through it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { startProgram } from "./program.mjs";

export function connectSteps({ newPage, shoot, bases, program }) {
  return {
    async "a TagoIO Action is connected: address checked, token shown and copied, light green with its first delivery"() {
      const own = await startProgram(program);
      bases.push(own.base);
      try {
        await shoot("/", "first", own.base);
        const page = await newPage({ permissions: ["clipboard-read", "clipboard-write"] });
        await page.goto(own.base);
        await page.getByRole("link", { name: "TagoIO Action" }).click();
        await page.waitForURL(/\/connect\?for=tagoio/);
        assert.match(await page.locator("#receiver-url").innerText(), /^https:\/\/YOUR-ADDRESS\/webhook\/tagoio$/);
        await page.getByLabel("Public address").fill(`${own.receiver}/webhook/tagoio`);
        await page.getByRole("button", { name: "Check that it is reachable" }).click();
        await page.locator("#check.well").waitFor();
        assert.match(await page.locator("#check").innerText(), /leads to this program/);
        await shoot("/connect", "connect-checked", own.base);
        assert.equal(await page.locator("#receiver-url").innerText(), `${own.receiver}/webhook/tagoio`);

        const token = readFileSync(`${own.data}/tagoio-token`, "utf8").trimEnd();
        assert.doesNotMatch(await page.content(), new RegExp(token));
        await page.getByRole("button", { name: "Show the token" }).click();
        await page.locator("#secret").waitFor();
        assert.equal(await page.locator("#secret").innerText(), `Authorization: Bearer ${token}`);
        await page.locator('[data-copy="secret"]').click();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `Authorization: Bearer ${token}`);
        assert.equal(await page.locator("#receiver-url").innerText(), `${own.receiver}/webhook/tagoio`, "what was typed stays");
        assert.match(await page.locator("#check").innerText(), /leads to this program/, "and the result of the check");
        await page.reload();
        await page.getByRole("link", { name: "TagoRUN" }).click();
        assert.match(await page.locator("#check").innerText(), /leads to this program/, "on every tab");
        await page.getByRole("button", { name: "Send a test delivery" }).click();
        const said = page.locator("[data-said]", { hasText: `sent through ${own.receiver}/: answered 200.` });
        await said.waitFor();
        assert.match(await said.locator("a").getAttribute("href"), /\/deliveries\//);
        assert.match(await page.locator("[data-arrivals]").innerText(), /Waiting/, "a test is not the sender's");
        await page.getByRole("link", { name: "Sources" }).click();
        await page.getByRole("link", { name: "tagoio" }).click();
        assert.equal(await page.locator("#field-1").innerText(), `${own.receiver}/webhook/tagoio`);
        await page.getByRole("button", { name: "Show the token" }).click();
        await page.locator("dd", { hasText: `Bearer ${token}` }).waitFor();
        await page.goto(`${own.base}/connect?for=tagoio`);

        const light = page.locator("[data-arrivals]");
        assert.equal(await light.getAttribute("data-state"), "waiting");
        await page.evaluate(() => { window.notReloaded = true; });
        const points = JSON.stringify([{ id: "p1", variable: "temperature", value: 21.5 }]);
        const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}`, "TagoIO-Retries": "1" };
        assert.equal((await fetch(`${own.receiver}/webhook/tagoio`, { method: "POST", body: points, headers })).status, 200);
        await page.locator('[data-arrivals][data-state="arrived"]').waitFor({ timeout: 5000 });
        assert.match(await light.innerText(), /data\.received, accepted/);
        assert.equal(await page.evaluate(() => window.notReloaded), true, "the page was reloaded");
        await shoot("/connect?for=tagoio&at=hooks.example.com", "connect", own.base);
        await light.getByRole("link").click();
        await page.waitForURL(/\/deliveries\//);
        await page.context().close();
      } finally {
        await own.end();
      }
    },
  };
}
