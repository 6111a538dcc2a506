// The list and a delivery side by side, by mouse and by keyboard alone.
import assert from "node:assert/strict";

export function paneSteps({ newPage, isAccessible, post, inspector, shots }) {
  return {
    async "a delivery opens beside the list, and every key does what the help says"() {
      for (const n of [1, 2, 3]) await post("/webhook/tagorun", `{"id":"pn-${n}","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z","panes":true}`);
      const page = await newPage({ viewport: { width: 1400, height: 900 } });
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.goto(`${inspector}/?q=${encodeURIComponent('body:"panes"')}`);
      await page.waitForSelector('#light[data-state="live"]');
      const key = (name) => page.keyboard.press(name);
      await key("j");
      await page.locator("#detail #diagnosis").waitFor();
      const first = await page.locator("#rows tr[data-id]").nth(0).getAttribute("data-id");
      const second = await page.locator("#rows tr[data-id]").nth(1).getAttribute("data-id");
      const shown = () => page.waitForFunction((id) => document.querySelector("#detail [data-alone]")?.href.endsWith(id), second);
      assert.equal(new URL(page.url()).hash, `#${first}`);
      await key("j");
      await shown();
      assert.equal(await page.locator("#rows tr[aria-current]").getAttribute("data-id"), second);
      await isAccessible(page, "panes");
      await page.screenshot({ path: new URL("panes-desktop-light.png", shots).pathname });
      await key("2");
      await page.locator("#detail #body-text").waitFor();
      await key("3");
      await page.locator("#detail #body-hex").waitFor();
      await key("1");
      await page.locator("#detail #body-tree").waitFor();
      await key("c");
      await page.locator("#detail").getByText("Copied").waitFor();
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^curl /);
      await key("n");
      await page.keyboard.type("jk/ are letters here");
      assert.equal(await page.locator("#detail textarea[name=note]").inputValue(), "jk/ are letters here");
      await key("Escape");
      await page.locator("#detail").getByRole("button", { name: "Save", exact: true }).focus();
      await key("Enter");
      await page.locator("#detail .marks textarea", { hasText: "jk/ are letters here" }).waitFor();
      await key("r");
      assert.equal(await page.evaluate(() => document.activeElement.name), "to");
      await key("Escape");
      await key("[");
      assert.equal(await page.locator("#list").isVisible(), false);
      await key("[");
      assert.equal(await page.locator("#list").isVisible(), true);
      await key("l");
      assert.equal(await page.locator(".light-words").innerText(), "Paused");
      await post("/webhook/tagorun", '{"id":"pn-4","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z","panes":true}');
      await page.getByText("Show 1 new").waitFor();
      await key("l");
      await page.locator("#rows tr[data-id]").nth(3).waitFor();
      await key("?");
      assert.equal(await page.locator("#keys").isVisible(), true);
      await isAccessible(page, "keyboard help");
      await key("Escape");
      assert.equal(await page.locator("#keys").isVisible(), false);
      await key("/");
      assert.equal(await page.evaluate(() => document.activeElement.name), "q");
      await key("Escape");
      await key("k");
      await page.waitForFunction((id) => document.querySelector("#detail [data-alone]")?.href.endsWith(id), first);
      await page.reload();
      await page.locator("#detail #diagnosis").waitFor();
      await key("[");
      await page.setViewportSize({ width: 820, height: 900 });
      assert.equal(await page.locator("#list").isVisible(), true, "a narrow window has its list");
      assert(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0, "too wide");
      await page.setViewportSize({ width: 1400, height: 900 });
      await key("[");
      await key("Escape");
      assert.equal(await page.locator("#detail").isVisible(), false);
      assert.equal(new URL(page.url()).hash, "");
      await key("j");
      await page.locator("#detail #diagnosis").waitFor();
      await key("j");
      await page.waitForFunction((id) => location.hash.length > 1 && location.hash !== `#${id}`, await page.locator("#rows tr[data-id]").first().getAttribute("data-id"));
      await page.goBack();
      await page.locator("#detail").waitFor({ state: "hidden" });
      assert(await page.locator("#rows tr[data-id]").count() > 0);
      await page.context().close();
    },

    async "a row far down a scrolled list opens beside it, and nothing leaves the window"() {
      for (let n = 0; n < 60; n += 1) await post("/webhook/tagorun", `{"id":"sc-${n}","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z","scrolled":true}`);
      for (const [width, colorScheme] of [[1000, "light"], [1280, "dark"], [1920, "light"]]) {
        const page = await newPage({ viewport: { width, height: 860 }, colorScheme });
        await page.goto(`${inspector}/?q=${encodeURIComponent('body:"scrolled"')}`);
        const inWindow = async (what) => {
          const { y, height } = await page.locator(what).boundingBox();
          assert(y >= 0 && y + Math.min(height, 20) <= 860, `${what} is at ${y} of 860, ${width} px wide`);
          return y;
        };
        const isWhole = async () => {
          const page_height = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
          assert(page_height <= 0, `the page is ${page_height} px taller than the window, ${width} px wide`);
          assert.equal(await inWindow("header.top"), 0);
          await inWindow("#rows tr[aria-current]");
          await inWindow("#detail .pane-head");
          await inWindow("#detail #diagnosis");
        };
        const rowAt = (x, y) => page.evaluate(([x, y]) => document.elementFromPoint(x, y).closest("#rows tr")?.dataset.id, [x, y]);
        const click = async (x, y) => {
          const id = await rowAt(x, y);
          assert(id, `a row is at ${x}, ${y}, ${width} px wide`);
          await page.mouse.click(x, y);
          await page.waitForFunction((id) => document.querySelector("#detail [data-alone]")?.href.endsWith(id), id);
          assert.equal(await page.locator("#rows tr[aria-current]").getAttribute("data-id"), id);
        };
        // The list alone is in the middle of a wide window.
        const middle = width > 1600 ? 600 : 300;
        await page.mouse.move(middle, 500);
        await page.mouse.wheel(0, 900);
        await page.waitForFunction(() => scrollY === 900);
        await click(middle, 500);
        await isWhole();
        const { y, height } = await page.locator("#rows tr[aria-current]").boundingBox();
        assert(y <= 500 && y + height >= 450, `the row stays where it was clicked, not at ${y}`);
        await page.screenshot({ path: new URL(`panes-scrolled-${width}-${colorScheme}.png`, shots).pathname });
        await page.mouse.move(300, 600);
        await page.mouse.wheel(0, -600);
        await page.waitForTimeout(200);
        await click(300, 600);
        await isWhole();
        await page.mouse.move(width - 200, 600);
        await page.mouse.wheel(0, 4000);
        await page.waitForFunction(() => document.getElementById("detail").scrollTop > 0);
        assert.equal(await inWindow("header.top"), 0);
        await inWindow("#rows tr[aria-current]");
        const last = await page.locator("#rows tr[aria-current]").getAttribute("data-id");
        await page.keyboard.press("Escape");
        await page.locator("#detail").waitFor({ state: "hidden" });
        await inWindow(`#rows tr[data-id="${last}"]`);
        await page.mouse.wheel(0, 300);
        await page.waitForTimeout(200);
        await click(middle, 400);
        await isWhole();
        const before = await page.locator("#rows tr[aria-current]").getAttribute("data-id");
        await page.goBack();
        await page.locator("#detail").waitFor({ state: "hidden" });
        await inWindow(`#rows tr[data-id="${before}"]`);
        await page.context().close();
      }
    },

    async "the list's width is changed by mouse and arrow, kept, and keys can be turned off"() {
      await post("/webhook/tagorun", '{"id":"pn-8","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z"}');
      const page = await newPage({ viewport: { width: 1400, height: 900 }, colorScheme: "dark" });
      await page.goto(inspector);
      await page.locator("#rows a").first().click();
      await page.locator("#detail #diagnosis").waitFor();
      const split = page.locator("#split");
      const width = async () => (await page.locator("#list").boundingBox()).width;
      const before = await width();
      await split.focus();
      for (let n = 0; n < 4; n += 1) await page.keyboard.press("ArrowLeft");
      assert(await width() < before - 50);
      const box = await split.boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + 200);
      await page.mouse.down();
      await page.mouse.move(1390, box.y + 200, { steps: 5 });
      await page.mouse.up();
      assert.equal(await split.getAttribute("aria-valuenow"), "50");
      await page.screenshot({ path: new URL("panes-desktop-dark.png", shots).pathname });
      await page.reload();
      await page.locator("#detail #diagnosis").waitFor();
      assert.equal(await split.getAttribute("aria-valuenow"), "50");
      await page.getByRole("button", { name: "Keyboard" }).click();
      await page.getByLabel("Enable keyboard shortcuts in this browser").uncheck();
      await page.keyboard.press("Escape");
      await page.keyboard.press("[");
      assert.equal(await page.locator("#list").isVisible(), true);
      await page.getByRole("button", { name: "Follow the newest" }).click();
      await post("/webhook/tagorun", '{"id":"pn-9","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z"}');
      await page.locator("#detail", { hasText: "pn-9" }).waitFor();
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto(inspector);
      await page.locator("#rows a").first().click();
      await page.waitForURL(/\/deliveries\//);
      await page.context().close();
    },
  };
}
