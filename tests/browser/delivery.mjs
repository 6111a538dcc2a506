// A delivery's page reads in the order of the question: what it is, why, what to do, the checks in a strip, then the body.
import assert from "node:assert/strict";

const EVENT = '{"id":"dv-1","event":"data.threshold","timestamp":"2026-03-09T07:14:58Z","device":{"id":"dev-7","name":"Tank <b>level"}}';

export function deliverySteps({ newPage, shoot, post, inspector, receiver, isAccessible }) {
  const newest = async (query) => (await (await fetch(`${inspector}/api/v1/deliveries?limit=1&${query}`)).json()).deliveries[0];
  const top = (page, what) => page.locator(what).evaluate((element) => element.getBoundingClientRect().top + scrollY);
  return {
    async "a refused delivery says what it is, why, and what to do, before anything else"() {
      assert.equal((await post("/webhook/tagorun", EVENT, {}, "a secret that nobody knows")).status, 401);
      const { id } = await newest("reason=signature_mismatch");
      const page = await newPage();
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.goto(`${inspector}/deliveries/${id}`);
      assert.equal(await page.locator("h1").innerText(), "data.threshold · Tank <b>level");
      assert.equal(await page.locator(".title-row .unverified").innerText(), "unverified");
      assert.match(await page.title(), /^data\.threshold · Tank <b>level \(unverified\): Wrong secret or changed body/);
      assert.equal(await page.locator("#headline").innerText(), "Wrong secret or changed body");
      const words = (await page.locator("#diagnosis").innerText()).split(/\s+/).length;
      assert(words <= 60, `${words} words`);
      const order = await page.locator("h1, #headline, .fixes, .checks, #body, #headers, #again, #marks")
        .evaluateAll((all) => all.map((element) => element.id || element.className || element.localName));
      assert.deepEqual(order, ["h1", "headline", "fixes", "checks", "body", "headers", "again", "marks"]);
      await page.getByRole("link", { name: "Test another secret" }).click();
      assert.equal(await page.locator("input:visible, select:visible").count(), 1, "only the secret is asked for");
      await shoot(`/deliveries/${id}`, "delivery-verdict");
      await page.context().close();
    },

    async "the line that mends it is copied with one click"() {
      await fetch(`${receiver}/webhook/tagorum`, { method: "POST", body: EVENT });
      const { id } = await newest("reason=unknown_source");
      const page = await newPage();
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.goto(`${inspector}/deliveries/${id}`);
      await page.locator(".fixes").getByRole("button", { name: "Copy" }).click();
      await page.locator(".fixes").getByText("Copied").waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "/webhook/tagorun");
      await page.context().close();
    },

    async "the line for the configuration is tried on history in one click"() {
      await post("/webhook/tagorun", '{"id":"dv-s","event":"user.login","timestamp":"2026-03-09T07:14:58Z","user":{"name":"x"}}');
      const { id } = await newest("reason=invalid_payload");
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${id}`);
      await page.getByRole("button", { name: "See what would change" }).click();
      await page.locator("#progress:not([data-running])").waitFor({ timeout: 10000 });
      assert.match(await page.locator(`tbody tr:has(a[href="/deliveries/${id}"])`).innerText(), /invalid_payload\s+passes/);
      assert.match(await page.locator("#draft-toml").innerText(), /schema = "warn"/);
      await page.context().close();
    },

    async "the strip has seven checks, the failing one is open, and one opens at a time"() {
      await post("/webhook/tagorun", EVENT, {}, "a secret that nobody knows");
      const { id } = await newest("reason=signature_mismatch");
      for (const javaScriptEnabled of [true, false]) {
        const page = await newPage({ javaScriptEnabled });
        await page.goto(`${inspector}/deliveries/${id}`);
        assert.equal(await page.locator(".chip").count(), 7);
        const open = page.locator(".chip[open] summary");
        assert.match(await open.innerText(), /✕\s*signature/);
        await page.locator(".chip summary", { hasText: "size" }).click();
        assert.match(await open.innerText(), /✓\s*size/);
        assert.equal(await open.count(), 1);
        if (javaScriptEnabled) await isAccessible(page, "a check is open");
        await page.context().close();
      }
    },

    async "the body begins on the first screen of a desk, alone and in the pane, and on the second of a phone"() {
      await post("/webhook/tagorun", EVENT, {}, "a secret that nobody knows");
      const { id } = await newest("reason=signature_mismatch");
      const desk = await newPage({ viewport: { width: 1400, height: 900 } });
      await desk.goto(`${inspector}/deliveries/${id}`);
      assert(await top(desk, "#body") < 900, `alone the body begins at ${await top(desk, "#body")} px`);
      await desk.goto(`${inspector}/#${id}`);
      await desk.locator("#detail #body").waitFor();
      assert(await top(desk, "#detail #body") < 900, `in the pane the body begins at ${await top(desk, "#detail #body")} px`);
      await desk.context().close();
      const phone = await newPage({ viewport: { width: 390, height: 844 } });
      await phone.goto(`${inspector}/deliveries/${id}`);
      assert(await top(phone, "#body") < 2 * 844, `on a phone the body begins at ${await top(phone, "#body")} px`);
      await phone.context().close();
    },

    async "points come as a table, a credential as its end, and TagoIO's counter as an attempt"() {
      const points = '[{"id":"66f1a2b3c4d5e6f700000001","variable":"co2","value":415,"unit":"ppm"}]';
      await fetch(`${receiver}/webhook/tagoio`, { method: "POST", body: points,
        headers: { Authorization: "Bearer not-the-token-of-anybody-c68e", "TagoIO-Retries": "3", "Content-Type": "application/json" } });
      const { id } = await newest("reason=credentials_wrong");
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${id}`);
      assert.equal(await page.locator("#body .tabs a[aria-current]").innerText(), "Points");
      assert.match(await page.locator("#body tbody tr").innerText(), /co2\s+415\s+ppm/);
      assert.match(await page.locator("#headers").innerText(), /Authorization\s+Bearer ••••c68e/i);
      assert.match(await page.locator("#headers").innerText(), /TagoIO-Retries\s+3\s+attempt 3 of 10/i);
      await page.keyboard.press("2");
      await page.locator("#body-tree").waitFor();
      const small = await page.locator("#body-tree summary").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 24).length);
      assert.equal(small, 0, "summaries of the tree are large enough to be hit");
      await page.context().close();
    },

    async "what differs from the delivery before is picked from a list and said in a line"() {
      for (const name of ["Ana", "Bea"]) await post("/webhook/tagorun", `{"id":"cmp-${name}","event":"made.up.compare","user":{"name":"${name}"}}`);
      const { id } = await newest("event_type=made.up.compare");
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${id}`);
      assert.match(await page.locator("#compare-with option").first().innerText(), /accepted · same type · cmp-Ana/);
      await page.getByRole("button", { name: "Compare" }).click();
      assert.match(await page.locator(".diagnosis .headline").innerText(), /^2 values differ, first \/id$/);
      assert.match(await page.locator(".diff tbody tr").last().innerText(), /\/user\/name\s+"Ana"\s+"Bea"/, "the earlier one first");
      await shoot(new URL(page.url()).pathname + new URL(page.url()).search, "compare");
      await page.context().close();
    },
  };
}
