// An event that comes again and again, two deliveries compared, and what people note.
import assert from "node:assert/strict";

export function attemptSteps({ newPage, shoot, post, inspector }) {
  return {
    async "the attempts of an event stand together, and two of them are compared"() {
      const body = (user) => JSON.stringify({ id: "at-1", event: "user.login", timestamp: "2026-03-09T07:14:58Z", user: { id: user, email: "<img src=x onerror=canary++>" } });
      await post("/webhook/tagorun", body("u1"));
      await post("/webhook/tagorun", body("u1"));
      const conflict = await post("/webhook/tagorun", body("u2"), { "X-Attempt": "<svg onload=canary++>" });
      assert.equal(conflict.status, 409);
      const [{ id }] = (await (await fetch(`${inspector}/api/v1/deliveries?reason=id_conflict&limit=1`)).json()).deliveries;
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${id}`);
      const attempts = page.locator("#attempts");
      assert.equal(await attempts.locator("tbody tr").count(), 3);
      assert.match(await attempts.innerText(), /3 attempts, gaps/);
      await shoot(`/deliveries/${id}`, "attempts");
      await attempts.getByRole("link", { name: "one value differs" }).click();
      await page.waitForURL(/\/diff\?a=/);
      assert.match(await page.locator(".diff tbody tr").innerText(), /\/user\/id\s+"u1"\s+"u2"/);
      assert.equal(await page.locator(".diff-lines .added", { hasText: "+ X-Attempt: <svg onload=canary++>" }).count(), 1);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await shoot(new URL(page.url()).pathname + new URL(page.url()).search, "diff");
      await page.context().close();
    },

    async "a pin, a note and tags are kept, shown in the list, and found"() {
      const { delivery_id: id } = await post("/webhook/tagorun", '{"id":"mk-1","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z"}');
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${id}`);
      await page.getByLabel("Pin (never deleted automatically)").check();
      await page.getByRole("textbox", { name: "Note" }).fill("ask <b>Ana</b>");
      await page.getByLabel("Tags").fill('to-fix, <img src=x onerror=canary++>');
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.waitForURL(/#marks$/);
      assert.equal(await page.getByLabel("Pin (never deleted automatically)").isChecked(), true);
      assert.equal(await page.getByRole("textbox", { name: "Note" }).inputValue(), "ask <b>Ana</b>");
      await shoot(`/deliveries/${id}`, "marks");
      await page.locator("#marks .tag", { hasText: "to-fix" }).click();
      await page.waitForURL(/q=tag/);
      const row = page.locator("#rows tr[data-id]");
      assert.equal(await row.count(), 1);
      assert.match(await row.innerText(), /pinned/);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await page.context().close();
    },
  };
}
