// What no page may do, whatever is on it; and the pages on which it was done.
import assert from "node:assert/strict";

/** Runs in the page: what a designer would send back, in words. Empty: nothing. */
export function blemishes() {
  const found = [];
  const text = (element) => element.textContent.trim().replace(/\s+/g, " ").slice(0, 60);
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) found.push(`${over} px wider than the screen`);

  for (const plot of document.querySelectorAll(".plot svg")) {
    const boxes = [...plot.querySelectorAll(":scope > text, :scope > g > text")]
      .filter((label) => getComputedStyle(label).display !== "none")
      .map((label) => ({ label, box: label.getBoundingClientRect() })).filter(({ box }) => box.width > 0);
    boxes.forEach((one, at) => boxes.slice(at + 1).forEach((other) => {
      const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (wide > 1 && high > 3) found.push(`labels overlap: ${text(one.label)} and ${text(other.label)}`);
    }));
  }

  // Our own words and the names of sources; what others sent may be one word as long as a line.
  const others = "bdi, code, pre, textarea, svg, .mono, .break, .visually-hidden, [hidden]";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if ((parent.closest(others) && !parent.matches("td.whole > bdi")) || !parent.checkVisibility()) continue;
    for (const word of node.data.matchAll(/[\p{L}\d_]{2,24}/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (tops.size > 1) found.push(`a word is broken: ${word[0]} in ${text(parent)}`);
    }
  }

  for (const row of document.querySelectorAll(".filter-row")) {
    const controls = [...row.querySelectorAll(":scope > .field > :is(input, select), :scope > .field-buttons > *")]
      .filter((control) => control.checkVisibility()).map((control) => control.getBoundingClientRect());
    for (const one of controls) {
      for (const other of controls) {
        const isSameLine = one.top < other.bottom && other.top < one.bottom;
        if (isSameLine && other.bottom - one.bottom > 1) found.push(`a field and a button are not in line: ${text(row)}`);
      }
    }
  }

  for (const figures of document.querySelectorAll(".figures")) {
    const tops = [...figures.children].map((figure) => Math.round(figure.getBoundingClientRect().top));
    if (tops.length > 1 && tops.filter((top) => top === tops.at(-1)).length === 1) found.push(`a figure alone in its row: ${text(figures.lastElementChild)}`);
  }
  const search = document.querySelector(".search-box input");
  if (search?.checkVisibility() && innerWidth <= 760 && search.clientWidth < 150) found.push("the search field is too narrow for a search");

  const headings = document.querySelectorAll("h1").length;
  if (headings !== 1) found.push(`${headings} headings of the first level`);
  const top = document.querySelector(".top");
  if (top && innerWidth >= 1100 && !document.querySelector(".message") && !top.querySelector(".top-title")?.textContent.trim()) found.push("nothing in the top bar says where one is");
  return [...new Set(found)];
}

export function looksSteps({ newPage, shoot, isAccessible, post, inspector }) {
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

  return {
    async "a device without a name and with two values in one second fits a phone"() {
      const device = "64c2f1a9b7e3d80009a1c0df";
      for (const value of [3.4, 3.6]) {
        await signed({ id: `looks-${value}`, event: "looks.reading", timestamp: new Date().toISOString(), device: { id: device },
          data: { pressure: value, temperature: value } });
      }
      await learnt("entities?source=tagorun", ({ entities }) => entities.some((one) => one.entity === device));
      await shoot(`/entities/tagorun/${device}`, "device-new");
      await shoot(`/entities?q=${device}`, "devices-new");
      const page = await newPage({ viewport: { width: 390, height: 844 } });
      await page.goto(`${inspector}/entities?q=${device}`);
      const heights = await page.locator(".devices tbody tr").first().evaluate((row) =>
        [...row.querySelectorAll(".row-link, .pill")].map((one) => Math.round(one.getBoundingClientRect().height)));
      assert(heights.every((height) => height <= 26), `the id and the state take one line each: ${heights}`);
      await page.context().close();
    },

    async "the columns of data points are those with something in them, and no name is broken"() {
      const at = new Date().toISOString();
      const body = JSON.stringify([["temperature", 21.5, "°C"], ["humidity", 55, "%"]]
        .map(([variable, value, unit]) => ({ variable, value, unit, time: at, group: "66f16881c9034800009ff3bc" })));
      const { delivery_id: id } = await post("/webhook-test/points", body);
      const stored = id ?? (await api("deliveries?verdict=captured&limit=1")).deliveries[0].id;
      const page = await newPage();
      for (const width of [1280, 1000]) {
        await page.setViewportSize({ width, height: 860 });
        await page.goto(`${inspector}/deliveries/${stored}`);
        const heads = await page.locator(".wide-table th").allInnerTexts();
        assert.deepEqual(heads, ["variable", "value", "unit", "time", "group"]);
        const heights = await page.locator(".wide-table td bdi").evaluateAll((cells) => cells.map((cell) => cell.getClientRects().length));
        assert(heights.every((lines) => lines === 1), `${width}: lines of each cell: ${heights}`);
      }
      await page.context().close();
    },

    async "the reference of the API, the tokens and the Analysis are neat, also with something open"() {
      const made = await fetch(`${inspector}/api/v1/tokens`, { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name: "the dashboard of the plant in Belo Horizonte", scope: "read" }) });
      assert.equal(made.status, 201);
      await shoot("/api", "api");
      await shoot("/tokens", "tokens");
      await shoot("/connect?for=analysis", "connect-analysis");
      const page = await newPage();
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 860 });
        await page.goto(`${inspector}/api`);
        const heights = await page.locator(".api-operation > summary").evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
        assert(heights.length > 50 && heights.every((height) => height >= 24 && height < 120), `${width}: ${Math.max(...heights)}`);
        const operation = page.locator(".api-operation").filter({ hasText: "/api/v1/deliveries/replay" }).first();
        await operation.locator("summary").click();
        assert.match(await operation.locator("pre").innerText(), /^curl /);
        assert.deepEqual(await page.evaluate(blemishes), [], `open at ${width}`);
        await isAccessible(page, `/api, open, at ${width}`);
      }
      await page.context().close();
    },

    async "the URL of a replay is asked for where it is needed"() {
      const { delivery_id: id } = await signed({ id: "looks-url", event: "looks.reading" });
      const page = await newPage({ javaScriptEnabled: false });
      for (const path of ["/replays", `/deliveries/${id}`]) {
        await page.goto(inspector + path);
        const form = page.locator("form.to-where");
        assert.equal(await form.locator('input[name="url"]').isVisible(), false, path);
        assert.equal(await form.getByText("A custom URL").isVisible(), false, path);
        await form.locator('select[name="to"]').selectOption("url");
        assert.equal(await form.locator('input[name="url"]').isVisible(), true, path);
        assert.deepEqual(await page.evaluate(blemishes), [], path);
      }
      await page.context().close();
    },
  };
}
