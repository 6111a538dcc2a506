// Drift, devices, and a schema made of a delivery, in a browser.
import assert from "node:assert/strict";

const ATTACK = '</script><img src=x onerror="window.canary=1"><svg onload=window.canary=1>\'"--><!--';

export function lensSteps({ newPage, shoot, post, inspector }) {
  const api = async (path) => (await fetch(`${inspector}/api/v1/${path}`)).json();
  async function learnt(path, isThere) {
    for (let tries = 0; tries < 200; tries += 1) {
      const answer = await api(path);
      if (isThere(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never learnt: ${path}`);
  }
  const signed = (body) => post("/webhook/tagorun", JSON.stringify(body));

  const tell = (method, path, body) => fetch(`${inspector}/api/v1/${path}`,
    { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  return {
    async "names without a gap widen no page"() {
      const device = "D".repeat(250);
      const { delivery_id: id } = await signed({ id: "long-names", event: "lens.long", device: { id: device, name: "N".repeat(200) } });
      assert((await tell("PATCH", `deliveries/${id}`, { tags: ["T".repeat(50)], note: "O".repeat(300) })).ok);
      assert((await tell("PUT", `searches/${"S".repeat(60)}`, { query: "verdict=rejected" })).ok);
      await learnt(`entities?source=tagorun`, ({ entities }) => entities.some((one) => one.entity === device));
      const page = await newPage({ viewport: { width: 360, height: 800 } });
      for (const path of ["/", `/deliveries/${id}`, "/entities", `/entities/tagorun/${device}`, "/drift"]) {
        await page.goto(inspector + path);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert(over <= 0, `${path.slice(0, 40)} is ${over} px too wide`);
      }
      await page.context().close();
      assert((await tell("DELETE", `searches/${"S".repeat(60)}`)).ok);
    },
    async "drift names new fields and changed types, and leads to the delivery that brought them"() {
      const reading = (n, data) => signed({ id: `drift-${n}`, event: "lens.reading", timestamp: new Date().toISOString(),
        device: { id: "66f16881c903480009ff1042", name: "AM308 Meeting room 4.12" },
        data: { quality: 0.9, variables: [{ variable: "temperature", value: 20 + Math.sin(n), unit: "°C" }], ...data } });
      for (let n = 0; n < 12; n += 1) await reading(n, {});
      const changed = await reading(12, { quality: "good", [ATTACK]: 1 });
      const query = "drift?source=tagorun&event_type=lens.reading";
      await learnt(query, ({ drift }) => drift[0]?.findings.some((finding) => finding.kind === "type_changed"));
      const page = await newPage();
      await page.goto(inspector);
      await page.getByRole("link", { name: "Schema changes", exact: true }).click();
      await page.getByRole("link", { name: "lens.reading" }).first().click();
      await page.waitForURL(/event_type=lens\.reading/);
      const finding = page.locator(".findings li", { hasText: "/data/quality" }).filter({ hasText: "type changed" });
      assert.match(await finding.innerText(), /was number until then; seen so far: number 12×, string 1×/);
      assert.match(await page.locator("main").innerText(), /13 of 13 sampled/);
      assert.equal(await page.evaluate(() => window.canary), 0);
      assert.equal(await page.locator("main img, main svg").count(), 0);
      await finding.getByRole("link").click();
      await page.waitForURL(`${inspector}/deliveries/${changed.delivery_id}`);
      await page.goto(`${inspector}/event-types/user.login`);
      assert.equal(await page.getByRole("heading", { name: "Seen in traffic" }).count(), 1);
      await page.context().close();
      await shoot("/drift", "drift");
      await shoot(`/${query}`, "drift-one");
    },

    async "a bar of the overview opens the deliveries of its time, and verdicts differ by pattern"() {
      await signed({ id: "overview-1", event: "lens.overview" });
      await post("/webhook/tagorun", "{}", { "X-TagoRUN-Signature": "00" });
      const page = await newPage();
      // What was counted is kept every few seconds.
      await page.waitForTimeout(6_000);
      await page.goto(`${inspector}/overview?range=1h`);
      const bar = page.locator("#rates .bar").last();
      const looks = await page.locator("#rates pattern").evaluateAll((all) => all.map((one) => one.innerHTML));
      assert(looks.length >= 2);
      assert.equal(new Set(looks).size, looks.length, "every verdict has a pattern of its own");
      await bar.hover();
      assert.match(await page.locator(".chart", { hasText: "Deliveries by verdict" }).locator(".read-out").innerText(), /^\d\d:\d\d–\d\d:\d\d: \d+ /);
      assert.match(await page.locator(".chart", { hasText: "Response time" }).locator(".read-out").innerText(), /· (p50 .* p95 |nothing arrived)/);
      await bar.click();
      await page.waitForURL(/\/\?from=.*&to=/);
      assert(await page.locator(".deliveries tbody tr").count() > 0);
      await page.context().close();
      await shoot("/overview?range=24h", "overview-day");
    },

    async "a delivery is made the schema"() {
      const sent = await signed({ id: `s${ATTACK}`, event: "plant.watered", litres: 2, [ATTACK]: { a: [1, "x"] } });
      const page = await newPage();
      await page.goto(`${inspector}/deliveries/${sent.delivery_id}`);
      await page.getByRole("link", { name: "Generate JSON Schema from this" }).click();
      const schema = JSON.parse(await page.locator("#schema").innerText());
      assert.deepEqual(schema.required, ["id", "event", "litres", ATTACK]);
      assert.deepEqual(schema.properties[ATTACK].properties.a.items.type, ["number", "string"]);
      assert.match(await page.locator("main").innerText(), /set schemas_dir/);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await page.context().close();
      await shoot(`/deliveries/${sent.delivery_id}/schema`, "schema");
    },

    async "a device has its rhythm, its clock and its values"() {
      const id = `dev/${ATTACK}`;
      for (let n = 0; n < 8; n += 1) {
        await signed({ id: `device-${n}`, event: "device.status_changed", timestamp: new Date(Date.now() - 1500).toISOString(),
          device: { id, name: `Pump ${ATTACK}`, battery: 90 - n }, data: { [ATTACK]: n * n } });
      }
      await learnt("entities?q=dev/", ({ entities }) => entities[0]?.deliveries === 8);
      const page = await newPage();
      await page.goto(inspector);
      await page.getByRole("link", { name: "Devices", exact: true }).click();
      await page.getByLabel("Id or name contains").fill("PUMP");
      await page.getByLabel("Order").selectOption("silence");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.waitForURL(/q=PUMP/);
      assert.equal(await page.locator("tbody tr").count(), 1);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await page.locator("tbody a").first().click();
      await page.waitForURL(/\/entities\/tagorun\//);
      assert.equal(await page.locator(".charts .line.main").count(), 2);
      assert.match(await page.locator(".chart", { hasText: "device.battery" }).innerText(), /83 to 90 · 8 values/);
      assert.match(await page.locator("main").innerText(), /Median delay 1\.\d s\./);
      // One cursor over all charts, with what each says at that time.
      await page.locator(".charts .drawing").nth(1).hover();
      const reads = await page.locator(".charts .read-out").allInnerTexts();
      assert(reads.every((words) => /^\d\d:\d\d:\d\d · \d+$/.test(words)), reads.join("; "));
      assert.equal(await page.locator('.charts .cursor[visibility="visible"]').count(), 2);
      await page.locator("h1").hover();
      assert.match(await page.locator(".chart", { hasText: "device.battery" }).innerText(), /83 to 90 · 8 values/);
      await page.locator(".charts .plot").first().focus();
      await page.keyboard.press("ArrowLeft");
      assert.equal(await page.locator('.charts .cursor[visibility="visible"]').count(), 2, "the keys move it too");
      await page.getByLabel("Name", { exact: true }).fill(`My ${ATTACK}`);
      await page.getByRole("button", { name: "Save name" }).click();
      await page.getByRole("heading", { name: `My ${ATTACK}` }).waitFor();
      await page.getByLabel("Name", { exact: true }).fill("");
      await page.getByRole("button", { name: "Save name" }).click();
      await page.getByRole("heading", { name: `Pump ${ATTACK}` }).waitFor();
      assert.equal(await page.evaluate(() => window.canary), 0);
      assert.equal(await page.locator("main img, main [onload]").count(), 0);
      const path = new URL(page.url()).pathname;
      await page.context().close();
      await shoot("/entities", "entities");
      await shoot(path, "entity");
    },

    async "a device shows what is true, false and text, and the table of points tells kinds of values apart"() {
      const id = "states-device";
      const variables = (n) => [{ variable: "door", value: n % 2 === 0 }, { variable: `mode ${ATTACK}`, value: n < 4 ? "eco" : ATTACK },
        { variable: "level", value: n }, { variable: "gps", location: { lat: 1, lng: 2 } }, { variable: "text", value: "7", device: "another" }];
      let last;
      for (let n = 0; n < 6; n += 1) {
        const timestamp = new Date(Date.now() - (5 - n) * 10_000).toISOString();
        last = await signed({ id: `states-${n}`, event: "data.received", timestamp, device: { id, name: "States" }, data: { variables: variables(n) } });
      }
      await learnt(`entities?q=${id}`, ({ entities }) => entities[0]?.deliveries === 6);
      const page = await newPage();
      await page.goto(`${inspector}/entities/tagorun/${id}`);
      const door = page.locator(".chart", { hasText: "door" });
      assert.equal(await door.locator(".strip g").count(), 6);
      assert.match(await door.innerText(), /6 values, 5 changes/);
      assert.match(await page.getByRole("img", { name: /place/ }).getAttribute("aria-label"), /^1 place on a grid, the last at 1\.00000° N, 2\.00000° E$/);
      assert.equal(await page.evaluate(() => window.canary), 0);
      assert.equal(await page.locator("main img, main [onload]").count(), 0);
      await page.goto(`${inspector}/deliveries/${last.delivery_id}?view=points`);
      const cells = await page.locator("#body tbody tr").evaluateAll((rows) => rows.map((row) => [row.cells[0].innerText, row.cells[2].innerText]));
      assert.deepEqual([cells[0], cells[2], cells[3], cells[4]], [["", "false"], ["", "5"], ["", "absent"], ["another", '"7"']]);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await page.context().close();
      await shoot(`/entities/tagorun/${id}`, "entity-states");
      await shoot(`/deliveries/${last.delivery_id}?view=points`, "points");
    },
  };
}
