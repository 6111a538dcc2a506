// The sender's pages, each clicked through once, with an endpoint of our own that answers as its path says.
import assert from "node:assert/strict";
import { createServer } from "node:http";

export function endpoint() {
  const seen = [];
  const server = createServer((request, answer) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url, "http://endpoint");
      if (request.method === "POST") seen.push({ path: url.pathname, headers: request.headers, body: Buffer.concat(chunks).toString() });
      answer.writeHead(Number(url.searchParams.get("status") ?? 200), { "X-Canary": "<img src=x onerror=canary++>" });
      answer.end(request.method === "HEAD" ? undefined : '<script>canary = 1</script>"\'><svg onload=canary++>');
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({ seen, server, url: `http://127.0.0.1:${server.address().port}` })));
}

export function senderSteps({ newPage, shoot, post, inspector, own }) {
  const HOSTILE = '"><img src=x onerror=canary++>{{7+7}}';

  async function api(method, path, body) {
    const answer = await fetch(`${inspector}/api/v1/${path}`, {
      method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body),
    });
    assert(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  }

  async function until(found) {
    const end = Date.now() + 5000;
    for (;;) {
      const value = await found();
      if (value) return value;
      assert(Date.now() < end, "it never came");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  return {
    async "a subscription is made from a preset, previewed, saved and tested"() {
      await shoot("/subscriptions", "subscriptions-none");
      const page = await newPage();
      await page.goto(`${inspector}/subscriptions`);
      await page.getByRole("link", { name: "Zapier" }).click();
      await page.waitForURL(/preset=zapier/);
      await page.locator("#matches", { hasText: "would be sent" }).waitFor();
      assert.equal(JSON.parse(await page.locator("#payload").innerText()).event_type, "threshold_exceeded");
      const draft = JSON.parse(await page.locator("#json").inputValue());
      await page.locator("#json").fill(JSON.stringify({ ...draft, url: "nowhere" }));
      await page.locator("#faults li", { hasText: "/url" }).waitFor();
      draft.filters = { "data.threshold": { conditions: [{ field: "alert.severity", operator: "equals", value: "nobody" }] } };
      await page.locator("#json").fill(JSON.stringify({ ...draft, url: `${own.url}/zapier` }, null, 2));
      await page.locator("#matches", { hasText: "would not be sent" }).waitFor();
      assert.match(await page.locator("#condition-rows").innerText(), /alert.severity\s+equals\s+"nobody"/);
      delete draft.filters;
      await page.locator("#json").fill(JSON.stringify({ ...draft, url: `${own.url}/zapier` }, null, 2));
      await page.locator("#matches", { hasText: /^would be sent/ }).waitFor();
      await page.getByRole("button", { name: "Create" }).click();
      await page.waitForURL(/\/subscriptions\/[0-9a-f-]{36}$/);
      await page.getByRole("button", { name: "Send a test" }).click();
      await page.locator("#tested", { hasText: "HTTP 200" }).waitFor();
      assert.equal(own.seen.filter((request) => request.path === "/zapier").length, 1);
      await page.getByRole("button", { name: "Check health" }).click();
      await page.locator("#saved", { hasText: "healthy: HTTP 200" }).waitFor();
      await page.getByRole("button", { name: "Disable" }).click();
      await page.locator(".pill.disabled").waitFor();
      await page.getByRole("button", { name: "Enable" }).click();
      await page.locator(".pill.enabled").waitFor();
      await shoot(new URL(page.url()).pathname, "subscription");
      await page.context().close();
    },

    async "nothing of a subscription, its answers and errors runs; dead letters are sent again and dropped"() {
      const made = await api("POST", "subscriptions", {
        name: HOSTILE, url: `${own.url}/broken?status=500&x=${encodeURIComponent(HOSTILE)}`, events: ["made.up", HOSTILE],
        retry_policy: { max_attempts: 2, base: "10ms", jitter: false },
      });
      for (const number of [1, 2, 3]) await api("POST", "events", { event: HOSTILE, id: `${HOSTILE}${number}`, v: HOSTILE });
      await until(async () => (await api("GET", "dead-letters")).dead_letters.length === 3);
      const page = await newPage();
      for (const path of ["/subscriptions", `/subscriptions/${made.id}`, "/messages", "/dead-letters", "/health"]) {
        await page.goto(inspector + path);
        await page.waitForTimeout(300);
        assert.equal(await page.evaluate(() => window.canary), 0, path);
      }
      await shoot("/dead-letters", "dead-letters");
      await shoot("/messages", "messages");
      await shoot("/health", "health");
      await shoot("/subscriptions", "subscriptions");
      await page.goto(`${inspector}/dead-letters`);
      await page.locator("tbody tr a").first().click();
      await page.waitForURL(/\/messages\//);
      assert.equal(await page.locator(".gate.fail").count(), 2);
      await page.locator("details summary").first().click();
      assert.match(await page.locator("details pre").first().innerText(), /<script>canary = 1<\/script>/);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await shoot(new URL(page.url()).pathname, "message");
      await api("PATCH", `subscriptions/${made.id}`, { url: `${own.url}/mended` });
      await page.goto(`${inspector}/dead-letters`);
      await page.locator("[data-replay]").first().click();
      await page.locator("#said", { hasText: "It is sent again" }).waitFor();
      await until(() => own.seen.some((request) => request.path === "/mended"));
      await page.context().close();
      const brave = await newPage({}, true);
      await brave.goto(`${inspector}/dead-letters`);
      await brave.locator("[data-drop]").first().click();
      await brave.locator("#said", { hasText: "Dropped" }).waitFor();
      await brave.goto(`${inspector}/dead-letters`);
      await brave.getByRole("button", { name: /Send all/ }).click();
      await brave.locator("#said", { hasText: "1 are sent again" }).waitFor();
      await brave.context().close();
    },

    async "a delivery says where its event went"() {
      const taken = await post("/webhook/tagorun", '{"id":"onward-1","event":"made.up","timestamp":"2026-03-09T07:14:58.402Z"}');
      await until(() => own.seen.some((request) => request.path === "/mended" && request.headers["x-tagorun-event-id"] === "onward-1"));
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${taken.delivery_id}`);
      const rows = await page.locator("#onward-title + table tbody").innerText();
      assert.match(rows, /The event goes there\./);
      assert.match(rows, /Its events do not name this type\./);
      await page.context().close();
    },
  };
}
