// The list of deliveries: a line a row, times, the search and what it suggests, the palette, the phone. Each step looks only at
// deliveries of its own.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { startProgram } from "./program.mjs";

export function listSteps({ newPage, isAccessible, post, inspector, secret, program, bases, shots }) {
  const event = (id, more = {}) => JSON.stringify({ id, event: "webhook.test", timestamp: "2026-03-09T07:14:58.402Z", ...more });
  const some = async (word, count) => {
    for (let n = 0; n < count; n += 1) await post("/webhook/tagorun", event(`${word}-${n}`, { about: word }));
    return `${inspector}/?q=${encodeURIComponent(`body:"${word}"`)}`;
  };
  /** A program with so many deliveries and nothing else. */
  const filled = async (count) => {
    const own = await startProgram(program);
    bases.push(own.base);
    for (let n = 0; n < count; n += 1) {
      const body = event(`own-${n}`, { event: n % 3 ? "device_alert" : "user.login", device: { id: "64c2f1a9b7e3d80009a1c0de", name: "Tank level" } });
      await fetch(`${own.receiver}/webhook/tagorun`, { method: "POST", body: n % 5 ? body : "no JSON" });
    }
    return own;
  };
  const shot = (page, name) => page.screenshot({ path: new URL(`${name}.png`, shots).pathname });
  const search = (page) => page.getByLabel("Search", { exact: true });

  return {
    async "twenty rows of one line are seen at once, under their day, and they are counted"() {
      const url = await some("dense", 30);
      const own = await filled(40);
      for (const colorScheme of ["light", "dark"]) {
        const page = await newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
        await page.goto(own.base);
        await page.locator("#rows tr[data-id]").nth(29).waitFor();
        const rows = await page.locator("#rows tr[data-id]").evaluateAll((all) => all.map((row) => row.getBoundingClientRect()).map(({ bottom, height }) => ({ bottom, height })));
        assert(rows.every((row) => row.height <= 38), `a row is ${Math.max(...rows.map((row) => row.height))} px high`);
        const seen = rows.filter((row) => row.bottom <= 900).length;
        assert(seen >= 20, `${seen} rows are seen`);
        assert.match(await page.locator("#rows tr.day").first().innerText(), /^Today/);
        assert.equal(await page.locator("#count").innerText(), "40 deliveries");
        await isAccessible(page, `list ${colorScheme}`);
        await shot(page, `list-dense-${colorScheme}`);
        await page.goto(url);
        assert.equal(await page.locator("#count").innerText(), "30 deliveries");
        await page.context().close();
      }
      await own.end();
    },

    async "a refused row says why, and what was refused"() {
      const body = event("rf-1", { event: "data.threshold", device: { id: "64c2f1a9b7e3d80009a1c0de", name: "Tank level" }, about: "refused-row" });
      await post("/webhook/tagorun", body, {}, "the secret of somebody else");
      const page = await newPage();
      await page.goto(`${inspector}/?q=${encodeURIComponent('body:"refused-row"')}`);
      const row = page.locator("#rows tr[data-id]");
      assert.match(await row.locator(".c-event").innerText(), /data\.threshold.*\(unverified\).*rf-1/s);
      assert.match(await row.locator(".c-entity").innerText(), /Tank level.*…c0de/s);
      const headline = await row.locator(".c-event a").innerText();
      assert(headline.split(" ").length <= 8 && !headline.includes("webhook"), headline);
      await page.context().close();
    },

    async "a row that arrives is the row that the page has"() {
      const page = await newPage();
      await page.goto(`${inspector}/?q=${encodeURIComponent('body:"same-row"')}`);
      await page.waitForSelector('#light[data-state="live"]');
      const attack = "<img src=x onerror=window.canary=1>";
      await post("/webhook/tagorun", event(`sr-${attack}`, { about: "same-row", device: { id: `d"${attack}` } }));
      await post("/webhook/tagorun", "not json, same-row");
      await page.locator("#rows tr[data-id]").nth(1).waitFor();
      await page.waitForTimeout(2500);
      const rows = () => page.locator("#rows tr[data-id]").evaluateAll((all) => all.map((row) => {
        const bare = row.cloneNode(true);
        bare.removeAttribute("class");
        for (const time of bare.querySelectorAll("time")) { time.textContent = ""; time.removeAttribute("title"); }
        return bare.outerHTML;
      }));
      const streamed = await rows();
      assert.equal(await page.evaluate(() => window.canary), 0);
      assert.equal(await page.locator("#rows img").count(), 0);
      await page.reload();
      assert.deepEqual(streamed, await rows());
      await page.context().close();
    },

    async "a delivery that arrives is counted and drawn at once"() {
      const page = await newPage();
      await page.clock.install();
      await page.goto(`${inspector}/?q=${encodeURIComponent('body:"counted-at-once"')}`);
      await page.waitForSelector('#light[data-state="live"]');
      assert.equal(await page.locator("#count").innerText(), "0 deliveries");
      await post("/webhook/tagorun", event("cao-1", { about: "counted-at-once" }));
      const soon = async (seen) => {
        while (!await seen()) {
          await page.clock.runFor(100);
          // The program answers in its own time, whatever the page's clock says.
          await new Promise((resolve) => { setTimeout(resolve, 100); });
        }
      };
      await soon(async () => await page.locator("#rows tr[data-id]").count() > 0);
      let ticks = 0;
      await soon(async () => { ticks += 1; return ticks > 50 || await page.locator("#count").innerText() === "1 delivery"; });
      assert(ticks <= 50, "counted within five seconds of the page's clock");
      assert(await page.locator("#histogram .bar, #histogram a").count() > 0, "it is drawn");
      await page.context().close();
    },

    async "a row says what its panel says, and its event stays beside a long cause"() {
      const signed = event("fol-1", { event: "data.threshold", about: "followed" });
      const key = createHmac("sha256", secret).update(signed).digest("hex");
      const pretty = JSON.stringify(JSON.parse(signed), null, 2);
      await post("/webhook/tagorun", pretty, { "X-TagoRUN-Signature": key });
      const page = await newPage();
      await page.goto(`${inspector}/?q=${encodeURIComponent('body:"followed"')}`);
      const row = page.locator("#rows tr[data-id]");
      // As it was before its cause was found out.
      await row.locator(".c-event a bdi").evaluate((words) => { words.textContent = "Signature mismatch"; });
      await row.click();
      const headline = await page.locator("#detail #headline").innerText();
      assert.equal(headline, "The body was re-formatted after signing");
      await page.locator("#rows .c-event a", { hasText: headline }).waitFor();
      const [name, cell] = await row.evaluate((row) => [".event", ".c-event"].map((part) => {
        const { left, right } = row.querySelector(part).getBoundingClientRect();
        return { left, right, width: right - left };
      }));
      const [names, line] = await row.evaluate((row) => [".names", ".line"].map((part) => {
        const { top, bottom } = row.querySelector(part).getBoundingClientRect();
        return { top, bottom };
      }));
      assert(names.top >= line.top - 1 && names.bottom <= line.bottom + 1, "nothing of the letters is cut off");
      assert(name.width > 60 && name.right <= cell.right, `the event has ${name.width} px, to ${name.right} of ${cell.right}`);
      await page.context().close();
    },

    async "times are ages, UTC or local, as somebody chose before"() {
      const url = await some("clockwork", 1);
      const page = await newPage({ timezoneId: "Asia/Kathmandu" });
      await page.goto(url);
      const time = page.locator("#rows time");
      const iso = await time.getAttribute("datetime");
      assert.match(await time.innerText(), /^(just now|\d+ s ago)$/);
      assert.match(await time.getAttribute("title"), /UTC\n.*your time/s);
      await page.getByLabel("Times").selectOption("utc");
      assert.equal(await time.innerText(), iso.slice(11, 23));
      assert.match(await page.locator("tr.day").innerText(), /UTC$/);
      await page.getByLabel("Times").selectOption("local");
      const local = await page.evaluate((iso) => new Date(iso).toTimeString().slice(0, 8), iso);
      assert.equal(await time.innerText(), local);
      await page.reload();
      await page.waitForFunction((local) => document.querySelector("#rows time").textContent === local, local);
      await page.context().close();
    },

    async "fields and values are suggested while one types, by keyboard and by mouse"() {
      await post("/webhook/tagorun", event("sg-1", { device: { id: "64c2f1a9b7e3d80009a1beef", name: "Boiler" } }));
      const page = await newPage();
      await page.goto(inspector);
      await search(page).pressSequentially("ver");
      const option = page.locator("#suggestions [role=option]");
      await option.filter({ hasText: "verdict:" }).waitFor();
      assert.equal(await search(page).getAttribute("aria-expanded"), "true");
      await page.keyboard.press("ArrowDown");
      const active = await search(page).getAttribute("aria-activedescendant");
      assert.equal(await page.locator(`#${active}`).getAttribute("aria-selected"), "true");
      await page.keyboard.press("Enter");
      assert.equal(await search(page).inputValue(), "verdict:");
      await option.filter({ hasText: "rejected" }).waitFor();
      await page.keyboard.type("acc");
      await option.filter({ hasText: "accepted" }).waitFor();
      await isAccessible(page, "suggestions");
      await shot(page, "list-suggestions");
      await option.filter({ hasText: "accepted" }).click();
      assert.equal(await search(page).inputValue(), "verdict:accepted ");
      await page.keyboard.type("device:beef");
      await option.filter({ hasText: "64c2f1a9b7e3d80009a1beef" }).waitFor({ timeout: 15000 });
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("#suggestions").isVisible(), false);
      await search(page).fill("verdict:accepted type:webhook.test");
      await page.keyboard.press("Enter");
      await page.waitForURL(/\?q=verdict%3Aaccepted\+type%3Awebhook\.test$/);
      await page.context().close();
    },

    async "a slip is corrected by a link, and what was found before stays, dimmed"() {
      const url = await some("slip", 3);
      const page = await newPage();
      page.ignoresStatus = true;
      await page.goto(url);
      await search(page).fill('verdcit:accepted body:"slip"');
      await page.keyboard.press("Enter");
      const alert = page.getByRole("alert");
      assert.equal((await alert.innerText()).trim(), "Unknown field “verdcit”. Did you mean verdict?");
      assert.equal(page.url(), url, "the address is that of what is shown");
      assert.equal(await page.locator("#rows tr[data-id]").count(), 3);
      assert.equal(await page.locator(".deliveries.is-stale").count(), 1);
      await isAccessible(page, "a search that cannot be understood");
      await shot(page, "list-slip");
      await alert.getByRole("link", { name: "verdict" }).click();
      await page.waitForURL(/q=verdict%3Aaccepted/);
      assert.equal(await page.locator("#rows tr[data-id]").count(), 3);
      await page.context().close();
      const plain = await newPage({ javaScriptEnabled: false });
      plain.ignoresStatus = true;
      await plain.goto(`${inspector}/?q=verdict%3Arejectd&source=tagorun`);
      assert.match(await plain.getByRole("alert").innerText(), /Did you mean rejected\?/);
      assert(await plain.locator(".is-stale #rows tr[data-id]").count() > 0);
      await plain.getByRole("alert").getByRole("link").click();
      await plain.waitForURL(/q=verdict%3Arejected/);
      await plain.context().close();
    },

    async "the address has only what was typed, without scripts too"() {
      for (const javaScriptEnabled of [true, false]) {
        const page = await newPage({ javaScriptEnabled });
        await page.goto(inspector);
        await search(page).fill("coffee");
        await page.keyboard.press("Enter");
        await page.waitForURL(`${inspector}/?q=coffee`);
        await page.getByText("Filters", { exact: true }).click();
        await page.locator('select[name="verdict"]').selectOption("accepted");
        await page.getByRole("button", { name: "Apply filters" }).click();
        await page.waitForURL(`${inspector}/?q=coffee&verdict=accepted`);
        await page.context().close();
      }
    },

    async "the help puts a field where the caret is, and a range of time into the search"() {
      const page = await newPage();
      await page.goto(`${inspector}/?q=coffee`);
      await search(page).focus();
      await page.keyboard.press("End");
      await page.getByLabel("Search help").click();
      await shot(page, "list-help");
      await page.getByRole("link", { name: "status:>=400" }).click();
      assert.equal(await search(page).inputValue(), "coffee status:>=400");
      assert.equal(await page.locator(".search-help[open]").count(), 0);
      await page.getByRole("link", { name: "1 h", exact: true }).click();
      await page.waitForURL(/q=coffee\+after%3A-1h$/);
      assert.equal(await page.locator(".ranges [aria-current]").innerText(), "1 h");
      await page.getByRole("link", { name: "All", exact: true }).click();
      await page.waitForURL(/\?q=coffee$/);
      await page.context().close();
    },

    async "the palette goes to pages, devices, deliveries and filters by keyboard alone"() {
      const sent = await post("/webhook/tagorun", event("pl-1", { device: { id: "64c2f1a9b7e3d80009a1feed", name: "Pump <7>" } }));
      const page = await newPage({ colorScheme: "dark" });
      const open = async (typed) => {
        await page.keyboard.press("Control+k");
        await page.locator("#palette[open]").waitFor();
        await page.keyboard.type(typed);
      };
      await page.goto(`${inspector}/health`);
      await page.getByRole("button", { name: "Go to…" }).click();
      await page.locator("#palette[open]").waitFor();
      await isAccessible(page, "palette");
      await shot(page, "palette");
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("#palette[open]").count(), 0);
      for (const [typed, found] of [["refus", "Requests not stored"], ["secret", "Connect a sender"], ["token", "API tokens"], ["connect", "Connect a sender"]]) {
        await open(typed);
        const pages = page.locator("#palette-list [role=option]", { hasText: "Page" });
        assert.match((await pages.allInnerTexts()).slice(0, 2).join("; "), new RegExp(found), typed);
        await page.keyboard.press("Escape");
      }
      await open("refus");
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/refusals$/);
      assert.equal(await page.locator("h1").innerText(), await page.locator("#side a[aria-current]").innerText());
      await open("subscr");
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/subscriptions$/);
      await open("refused hour");
      await page.keyboard.press("Enter");
      await page.waitForURL(/q=verdict%3Arejected/);
      await open("replay what");
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/replays\?q=verdict%3Arejected/);
      await open(sent.delivery_id);
      await page.keyboard.press("Enter");
      await page.waitForURL(new RegExp(`/deliveries/${sent.delivery_id}$`));
      await open("Pump");
      await page.getByRole("option", { name: "Pump <7>" }).waitFor({ timeout: 15000 });
      await page.keyboard.press("Escape");
      await page.context().close();
    },

    async "rows are reached in three Tabs, and a row is a link wherever it is clicked"() {
      const url = await some("tabs", 2);
      const page = await newPage();
      await page.goto(url);
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the deliveries");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.closest("tr")?.rowIndex), 2);
      await page.keyboard.press("Enter");
      await page.locator("#detail #diagnosis").waitFor();
      await page.keyboard.press("Escape");
      await page.locator("#rows tr[data-id] time").nth(1).click();
      await page.locator("#detail #diagnosis").waitFor();
      await page.context().close();
    },

    async "on a phone the first row is high up, and filters are behind one button"() {
      const own = await filled(8);
      for (const colorScheme of ["light", "dark"]) {
        const page = await newPage({ viewport: { width: 390, height: 844 }, colorScheme });
        await page.goto(own.base);
        const { y } = await page.locator("#rows tr[data-id]").first().boundingBox();
        assert(y <= 260, `the first row is at ${y}`);
        assert(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0, "too wide");
        await shot(page, `list-phone-${colorScheme}`);
        assert.equal(await page.locator('select[name="verdict"]').isVisible(), false);
        await page.getByText("Filters", { exact: true }).click();
        assert.equal(await page.locator('select[name="verdict"]').isVisible(), true);
        const menu = await page.locator(".filters-menu .menu-body").boundingBox();
        assert(menu.x >= 0 && menu.x + menu.width <= 390, `the filters are from ${menu.x} to ${menu.x + menu.width}`);
        await isAccessible(page, `list on a phone ${colorScheme}`);
        await shot(page, `list-phone-filters-${colorScheme}`);
        await page.context().close();
      }
      await own.end();
    },

    async "the list weighs less than 60 KB with everything, compressed"() {
      const own = await filled(50);
      const page = await newPage();
      const session = await page.context().newCDPSession(page);
      await session.send("Network.enable");
      let weight = 0;
      session.on("Network.loadingFinished", (event) => { weight += event.encodedDataLength; });
      await page.goto(own.base);
      await page.waitForSelector('#light[data-state="live"]');
      await page.waitForTimeout(500);
      console.log(`      the list weighs ${(weight / 1024).toFixed(1)} KiB`);
      assert(weight > 10_000 && weight < 60_000, `${weight} bytes`);
      await page.context().close();
      await own.end();
    },

    async "a bar leads to the deliveries of its time, and a range is dragged"() {
      const own = await filled(12);
      const page = await newPage();
      await page.goto(own.base);
      await page.waitForFunction(() => document.querySelector("#histogram .part"), null, { timeout: 15000 }).catch(() => page.reload());
      await page.locator("#histogram .bar").first().waitFor({ timeout: 10000 });
      await shot(page, "list-histogram");
      const classes = await page.locator("#histogram .part").evaluateAll((parts) => parts.map((part) => part.getAttribute("fill")));
      assert(classes.length > 0 && classes.every((fill) => fill.startsWith("url(#histogram-")), "verdicts have patterns");
      const box = await page.locator("#histogram .bar .hit").last().boundingBox();
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      await page.waitForURL(/q=after%3A.*\+before%3A/);
      assert.match(await search(page).inputValue(), /^after:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ before:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert(await page.locator("#rows tr[data-id]").count() > 0);
      await page.getByRole("link", { name: "1 h", exact: true }).click();
      await page.waitForURL(/q=after%3A-1h$/);
      const chart = await page.locator("#histogram").boundingBox();
      await page.mouse.move(chart.x + chart.width * 0.5, chart.y + 10);
      await page.mouse.down();
      await page.mouse.move(chart.x + chart.width - 1, chart.y + 10, { steps: 5 });
      await page.mouse.up();
      await page.waitForURL(/q=after%3A\d.*\+before%3A\d/);
      await page.locator("#rows tr[data-id]").nth(11).waitFor({ timeout: 10000 });
      assert.equal(await page.locator("#rows tr[data-id]").count(), 12);
      await page.context().close();
      await own.end();
    },

    async "nothing moves while the list is loaded and gets live"() {
      const own = await filled(30);
      const page = await newPage();
      await page.addInitScript(() => {
        window.shifts = 0;
        new PerformanceObserver((seen) => {
          for (const shift of seen.getEntries()) if (!shift.hadRecentInput) window.shifts += shift.value;
        }).observe({ type: "layout-shift", buffered: true });
      });
      await page.goto(own.base);
      await page.waitForSelector('#light[data-state="live"]');
      await page.waitForTimeout(500);
      const shifts = await page.evaluate(() => window.shifts);
      assert(shifts < 0.02, `the page shifts by ${shifts}`);
      await page.context().close();
      await own.end();
    },

    async "fields have borders that are seen"() {
      for (const colorScheme of ["light", "dark"]) {
        const page = await newPage({ colorScheme });
        await page.goto(inspector);
        const ratio = await search(page).evaluate((input) => {
          const light = (colour) => {
            const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255);
            const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
          };
          const [one, other] = [light(getComputedStyle(input).borderTopColor), light(getComputedStyle(document.body).backgroundColor)];
          return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        });
        assert(ratio >= 3, `${colorScheme}: ${ratio.toFixed(2)}`);
        await page.context().close();
      }
    },
  };
}
