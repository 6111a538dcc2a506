// Other rules tried on what came in, and what is found taken along as a file.
import assert from "node:assert/strict";

export function whatIfSteps({ newPage, shoot, post, inspector }) {
  return {
    async "a refused delivery leads to what if, and the secret that was used makes it pass"() {
      const used = "what-the-portal-really-signs-with";
      const refused = await post("/webhook/tagorun", '{"id":"wi-1","event":"user.login","timestamp":"2026-03-09T07:14:58Z","user":{"id":"u","email":"e"}}', {}, used);
      assert.equal(refused.status, 401);
      const [{ id }] = (await (await fetch(`${inspector}/api/v1/deliveries?reason=signature_mismatch&limit=1`)).json()).deliveries;
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${id}`);
      await page.getByRole("link", { name: "Test another secret" }).click();
      await page.waitForURL(/\/what-if\?source=tagorun/);
      assert.equal(await page.getByLabel("Only those that match this search").inputValue(), "");
      await shoot(new URL(page.url()).pathname + new URL(page.url()).search, "what-if");
      await page.getByLabel("Secret", { exact: true }).fill(used);
      await page.getByRole("button", { name: "Re-check deliveries" }).click();
      await page.waitForURL(/\/what-if\/[0-9a-f-]+$/);
      await page.locator("#progress:not([data-running])").waitFor({ timeout: 10000 });
      assert.match(await page.locator("#sentence").innerText(), /\d+ that (was|were) rejected would pass, and 0 that passed would be rejected/);
      const row = page.locator(`tbody tr:has(a[href="/deliveries/${id}"])`);
      assert.match(await row.innerText(), /signature_mismatch\s+passes/);
      const toml = await page.locator("#draft-toml").innerText();
      assert.match(toml, /secrets = \["file:signing-secret", "file:NEW-SECRET"\]/);
      await page.getByRole("button", { name: "Copy", exact: true }).waitFor();
      assert(!(await page.content()).includes(used), "a secret that was typed in is shown");
      await shoot(new URL(page.url()).pathname, "what-if-run");
      await row.getByRole("link").click();
      await page.waitForURL(`${inspector}/deliveries/${id}`);
      await page.context().close();
    },

    async "a draft that cannot be says so in the form"() {
      const page = await newPage();
      await page.goto(`${inspector}/what-if`);
      await page.getByLabel("Allowlist").fill("1.2.3");
      await page.getByRole("button", { name: "Re-check deliveries" }).click();
      assert.match(await page.getByRole("alert").innerText(), /1\.2\.3/);
      await page.context().close();
    },

    async "what a search finds is taken along as CSV"() {
      await post("/webhook/tagorun", '{"event":"user.login","for":"a table"}', {}, "a secret of somebody else");
      const page = await newPage();
      await page.goto(`${inspector}/?q=${encodeURIComponent("reason:signature_mismatch")}`);
      await page.getByText("Export", { exact: true }).click();
      const [download] = await Promise.all([
        page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
      assert.equal(download.suggestedFilename(), "deliveries.csv");
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      const lines = Buffer.concat(chunks).toString().trim().split("\r\n");
      assert(lines.length > 1 && lines.slice(1).every((line) => line.includes("signature_mismatch")), lines.join("\n"));
      await page.context().close();
    },

    async "some of the list are chosen and taken along"() {
      for (const n of [1, 2, 3]) await post("/webhook/tagorun", `not json, to be chosen ${n}`);
      const page = await newPage();
      await page.goto(`${inspector}/?q=${encodeURIComponent('body:"to be chosen"')}`);
      await page.getByRole("button", { name: "Select", exact: true }).click();
      await page.locator(".pick-row").nth(0).check();
      await page.locator(".pick-row").nth(2).check();
      await page.getByText("Export 2 selected").click();
      const ids = await page.locator("#rows tr[data-id]").evaluateAll((rows) => rows.map((row) => row.dataset.id));
      const [download] = await Promise.all([
        page.waitForEvent("download"), page.getByRole("link", { name: "JSON Lines" }).click()]);
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      const taken = Buffer.concat(chunks).toString().trim().split("\n").map((line) => JSON.parse(line).id);
      assert.deepEqual(taken, [ids[0], ids[2]]);
      await page.getByRole("button", { name: "Select", exact: true }).click();
      assert.equal(await page.locator(".pick-row").count(), 0);
      assert.equal(await page.getByText("Export", { exact: true }).count(), 1);
      await page.context().close();
    },
  };
}
