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
    async "a subscription is made from a preset by its form, previewed, saved and tested"() {
      await shoot("/subscriptions", "subscriptions-none");
      const page = await newPage();
      await page.goto(`${inspector}/subscriptions`);
      await page.getByRole("link", { name: "Zapier" }).click();
      await page.waitForURL(/preset=zapier/);
      await page.locator("#matches", { hasText: "would be sent" }).waitFor();
      assert.equal(JSON.parse(await page.locator("#exact").textContent()).event_type, "threshold_exceeded");
      await page.locator("[data-text=url]").fill(`${own.url}/zapier`);
      await page.getByRole("button", { name: "Add condition" }).click();
      await page.locator("[data-part=field]").fill("alert.severity");
      await page.locator("#filter-rows [data-part=value]").fill("nobody");
      await page.locator("#matches", { hasText: "would not be sent" }).waitFor();
      assert.match(await page.locator("#condition-rows").innerText(), /alert.severity\s+equals\s+"nobody"/);
      await page.getByRole("button", { name: "Remove condition" }).click();
      await page.locator("#matches", { hasText: /^would be sent/ }).waitFor();
      await page.getByRole("button", { name: "Create" }).first().click();
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

    async "form and JSON of a subscription are the same, and no digit is lost between them"() {
      const page = await newPage();
      await page.goto(`${inspector}/subscriptions/new`);
      const json = page.locator("#json");
      const tab = (name) => page.getByRole("tab", { name }).click();
      await tab("JSON");
      const before = `{
  "name": "Exact",
  "url": "${own.url}/exact",
  "events": ["data.*"],
  "batch": { "size": 2 },
  "filters": { "data.*": { "conditions": [{ "field": "data.n", "operator": "equals", "value": 12345678901234567890.10 }] } },
  "payload_template": { "n": 1.50, "big": 12345678901234567890, "v": "{{data.value}}" }
}`;
      await json.fill(before);
      await tab("Form");
      assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Exact");
      assert.equal(await page.locator("#filter-rows [data-part=value]").inputValue(), "12345678901234567890.10");
      assert.match(await page.locator("#template").inputValue(), /"n": 1\.50, "big": 12345678901234567890/);
      assert.equal(await page.getByLabel("Batch size").inputValue(), "2");
      assert.equal(await page.locator("#json-only").isVisible(), false, "the form has a field for everything");
      assert.equal(await page.locator('#event-choices input[value="data.received"]').isChecked(), true, "data.* chooses it");
      await page.getByLabel("Name", { exact: true }).fill("Changed");
      assert.equal(await json.inputValue(), before.replace('"Exact"', '"Changed"'), "only the name changed");
      await page.getByText("Choose events").click();
      await page.getByLabel("Search events").fill("login");
      await page.locator('#event-choices input[value="user.login"]').check();
      await page.locator("[data-part=operator]").selectOption("greater_than");
      await page.locator("#scheme").selectOption("standard-webhooks");
      await page.locator("#secrets").fill("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
      await page.locator("#backoff").selectOption("fixed");
      await page.getByLabel("Attempts", { exact: true }).fill("2");
      await page.getByLabel("Timeout", { exact: true }).fill("2.5 s");
      await page.getByLabel("Requests, at most").fill("10");
      await page.getByLabel("per", { exact: true }).fill("5 m");
      await page.getByLabel("First delay").fill("500 ms");
      await page.getByLabel("Batch wait, at most").fill("1 s");
      const written = JSON.parse(await json.inputValue());
      assert.deepEqual(written.events, ["data.*", "user.login"]);
      assert.equal(written.filters["data.*"].conditions[0].operator, "greater_than");
      assert.deepEqual(written.signature, { scheme: "standard-webhooks", secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] });
      assert.deepEqual([written.retry_policy, written.timeout], [{ backoff: "fixed", max_attempts: 2, base: 0.5 }, 2.5]);
      assert.deepEqual([written.rate_limit, written.batch], [{ max_requests: 10, window_ms: 300000 }, { size: 2, flush_interval_ms: 1000 }]);
      assert.match(await json.inputValue(), /"value": 12345678901234567890\.10 .*"big": 12345678901234567890/s);
      await page.getByRole("button", { name: "Create" }).last().click();
      await page.waitForURL(/\/subscriptions\/[0-9a-f-]{36}$/);
      for (const [label, shown] of [["Timeout", "2.5 s"], ["per", "5 m"], ["First delay", "500 ms"], ["Batch wait, at most", "1 s"]]) {
        assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), shown, label);
      }
      // What comes back masked can be edited and saved, and stays the secret that it was.
      assert.match(await page.locator("#secrets").inputValue(), /^••••/);
      await page.getByLabel("Name", { exact: true }).fill("Changed again");
      await page.locator("#matches").waitFor();
      assert.match(await page.locator("#form-tab").innerText(), /Secrets are masked/);
      await page.getByRole("button", { name: "Save" }).first().click();
      await page.getByRole("heading", { name: "Changed again" }).waitFor();
      await page.context().close();
    },

    async "every fault of a subscription is shown at once at its field, and the preview is out of date until they are mended"() {
      const page = await newPage();
      await page.goto(`${inspector}/subscriptions/new?preset=slack`);
      await page.locator("#matches", { hasText: "would be sent" }).waitFor();
      await page.locator("[data-text=url]").fill("nowhere");
      await page.getByRole("button", { name: "Add condition" }).click();
      await page.locator("[data-part=field]").fill("data value");
      await page.locator("#filter-rows [data-part=value]").fill("1");
      const template = page.locator("#template");
      const good = await template.inputValue();
      await template.fill('{ "text": "{{data.}" }');
      await page.getByRole("button", { name: "Fix 3 problems" }).waitFor();
      const fault = (part) => page.locator(`[data-at~="${part}"] > .field-fault`);
      for (const part of ["/url", "/filters/system.alert/conditions/0", "/payload_template"]) assert.equal(await fault(part).count(), 1, part);
      assert.equal(await page.locator("[data-part=field]").getAttribute("aria-invalid"), "true");
      assert.equal(await page.locator("#result.stale").count(), 1);
      assert.equal(await page.locator("#matches").isVisible(), false);
      // A template that is no JSON yet is a fault like the others, and both tabs show the same text.
      await template.fill('{ "text": ');
      await page.locator('[data-at~="/payload_template"] > .field-fault', { hasText: "not JSON" }).waitFor();
      await page.getByRole("button", { name: "Fix 3 problems" }).waitFor();
      assert.match(await page.locator("#json").inputValue(), /"payload_template": \{ "text": ,/);
      await page.getByRole("button", { name: "Fix 3 problems" }).click();
      assert.equal(await page.evaluate(() => document.activeElement.closest("[data-at]").dataset.at), "/url /webhook_url");
      await page.locator("[data-text=url]").fill(`${own.url}/mended`);
      await page.getByRole("button", { name: "Remove condition" }).click();
      await template.fill(good);
      await page.locator("#matches", { hasText: "would be sent" }).waitFor();
      assert.equal(await page.locator("#result.stale, .field-fault").count(), 0);
      await page.context().close();
    },

    async "a place of a real event is inserted into the template, and the preview shows what went where"() {
      const page = await newPage();
      await page.goto(`${inspector}/subscriptions/new`);
      // Nothing is filled in that nobody typed, and nothing is wrong before anything was.
      assert.equal(await page.locator("[data-text=url]").inputValue(), "");
      assert.equal(await page.locator("#chosen-events li, .field-fault").count(), 0);
      assert.doesNotMatch(await page.locator("#form-tab").innerText(), /Secrets are masked/);
      page.ignoresStatus = true;
      await page.getByRole("button", { name: "Create" }).first().click();
      await page.locator('[data-at~="/url"] > .field-fault').waitFor();
      await page.getByLabel("Another event type or pattern").fill("data.*");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.locator("#payload-kind").selectOption("template");
      await page.locator("#template").fill('{ "room": "" }');
      await page.locator("#choice").selectOption("event_type:data.threshold");
      await page.locator("#places button", { hasText: "device.name" }).first().waitFor();
      await page.locator("#template").evaluate((field) => field.setSelectionRange(11, 11));
      await page.getByLabel("Search places").fill("event.type");
      await page.locator("#places button", { hasText: "event.type" }).click();
      assert.equal(await page.locator("#template").inputValue(), '{ "room": "{{event.type}}" }');
      await page.locator("#payload mark .place-number", { hasText: "1" }).waitFor();
      assert.equal(await page.locator("#event mark").count(), 1);
      assert.match(await page.locator("#event mark").innerText(), /^"data\.threshold"\s*1$/);
      await page.context().close();
    },

    async "nothing of a subscription, its answers and errors runs; dead letters are retried and discarded"() {
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
      // The row is the link: it leads to its message wherever it is clicked.
      await page.locator(".letter-group tbody tr").first().click();
      await page.waitForURL(/\/messages\//);
      assert.equal(await page.locator(".gate.fail").count(), 2);
      assert.match(await page.locator("details[open] pre").first().innerText(), /<script>canary = 1<\/script>/);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await shoot(new URL(page.url()).pathname, "message");
      await api("PATCH", `subscriptions/${made.id}`, { url: `${own.url}/mended` });
      await page.goto(`${inspector}/dead-letters`);
      await page.locator("[data-replay]").first().click();
      await page.locator("#said", { hasText: "Queued for retry." }).waitFor();
      assert.equal(await page.locator(".letter-group .of").innerText(), "2");
      assert.equal(await page.locator("#total").innerText(), "2 messages", "the count above agrees");
      assert.equal(await page.locator('#side a[href="/dead-letters"] .badge').innerText(), "2", "and the one in the menu");
      await page.locator('#said[data-state="well"]', { hasText: "1 delivered." }).waitFor();
      await until(() => own.seen.some((request) => request.path === "/mended"));
      await page.context().close();
      const brave = await newPage({}, true);
      await brave.goto(`${inspector}/dead-letters`);
      await brave.getByRole("checkbox").first().check();
      await brave.locator(".selected", { hasText: "1 selected" }).waitFor();
      await brave.getByRole("button", { name: "Discard selected" }).click();
      await brave.locator("#said", { hasText: "1 dead letter discarded." }).waitFor();
      assert.equal(await brave.locator(".letter-group .of").innerText(), "1");
      await brave.getByRole("button", { name: "Retry all" }).click();
      await brave.locator("#said", { hasText: "1 dead letter queued for retry." }).waitFor();
      assert.equal(await brave.locator(".letter-group").count(), 0);
      await brave.context().close();
    },

    async "a retry that fails again says so"() {
      await api("POST", "subscriptions", {
        name: "Still broken", url: `${own.url}/broken?status=500`, events: ["again.test"], retry_policy: { max_attempts: 1 },
      });
      for (const number of [1, 2]) await api("POST", "events", { event: "again.test", id: `again-${number}` });
      await until(async () => (await api("GET", "dead-letters?event_type=again.test")).dead_letters.length === 2);
      const page = await newPage();
      await page.goto(`${inspector}/dead-letters?event_type=again.test`);
      await page.locator("[data-replay]").first().click();
      await page.locator('#said[data-state="ill"]', { hasText: "1 failed again: HTTP 500." }).waitFor();
      assert.equal(await page.locator("#total").innerText(), "1 message");
      await page.reload();
      assert.equal(await page.locator("#total").innerText(), "2 messages", "it is a dead letter again");
      for (const letter of (await api("GET", "dead-letters?event_type=again.test")).dead_letters) await api("DELETE", `dead-letters/${letter.id}`);
      await page.context().close();
    },

    async "dead letters of one cause are discarded together after a question"() {
      await api("POST", "subscriptions", {
        name: "Gone", url: `${own.url}/gone?status=503`, events: ["group.test"], retry_policy: { max_attempts: 1 },
      });
      for (const number of [1, 2, 3]) await api("POST", "events", { event: "group.test", id: `group-${number}` });
      await until(async () => (await api("GET", "dead-letters?event_type=group.test")).dead_letters.length === 3);
      const page = await newPage();
      await page.goto(`${inspector}/dead-letters?event_type=group.test`);
      assert.match(await page.locator(".letter-group .panel-head").innerText(), /Gone\s+HTTP 503\s+3 since \d\d:\d\d:\d\d/);
      await page.context().close();
      const brave = await newPage({}, true);
      await brave.goto(`${inspector}/dead-letters?event_type=group.test`);
      await brave.getByRole("button", { name: "Discard all" }).click();
      await brave.locator("#said", { hasText: "3 dead letters discarded." }).waitFor();
      assert.equal((await api("GET", "dead-letters?event_type=group.test")).dead_letters.length, 0);
      await brave.context().close();
    },

    async "a source shows its rules, its settings to copy, and no secret"() {
      await shoot("/sources", "sources");
      const page = await newPage();
      await page.goto(`${inspector}/sources`);
      await page.locator("tbody tr", { hasText: "tagorun" }).click();
      await page.waitForURL(/\/sources\/tagorun$/);
      assert.match(await page.locator("main").innerText(), /X-TagoRUN-Signature.*Secret signing-secret ••••[0-9A-Za-z]{4}/s);
      assert.match(await page.locator(".setup").innerText(), /Webhook URL\s+http:.*\/webhook\/tagorun.*the contents of the file signing-secret/s);
      await page.getByRole("link", { name: "Change rules for tagorun" }).click();
      await page.waitForURL(/\/what-if\?source=tagorun$/);
      await shoot("/sources/tagorun", "source");
      await shoot("/sources/tagoio", "source-tagoio");
      await page.context().close();
    },

    async "a delivery says where its event went"() {
      const taken = await post("/webhook/tagorun", '{"id":"onward-1","event":"made.up","timestamp":"2026-03-09T07:14:58.402Z"}');
      await until(() => own.seen.some((request) => request.path === "/mended" && request.headers["x-tagorun-event-id"] === "onward-1"));
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${taken.delivery_id}`);
      const rows = await page.locator("#onward").textContent();
      assert.match(rows, /The event is forwarded\./);
      assert.match(rows, /Not subscribed to this event type\./);
      await page.context().close();
    },
  };
}
