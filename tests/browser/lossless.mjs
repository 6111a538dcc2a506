// A body looked at in each way.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export function losslessSteps({ newPage, shoot, receiver, inspector }) {
  async function capture(body, type) {
    const answer = await fetch(`${receiver}/webhook-test/looked-at?a=%3Cb%3E`, { method: "POST", body, headers: { "Content-Type": type } });
    return `/deliveries/${(await answer.json()).delivery_id}`;
  }

  return {
    async "the tree shows what was sent, masks secrets, and a value's places are copied"() {
      const at = await capture(Buffer.from('{"big":1152921504606846976123,"one":1.0,"user":{"first-name":"A \\ud83d","password":"hunter2 of the page"},"big":2,"list":[1,[2,[3,[4,[5,[6]]]]]]}'), "application/json");
      const page = await newPage();
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.goto(inspector + at);
      const tree = page.locator("#body-tree");
      for (const text of ["1152921504606846976123", "1.0", "\\ud83d", "this key is here more than once"]) assert((await tree.innerText()).includes(text), text);
      assert.equal(await tree.getByText("hunter2 of the page").isVisible(), false, "a password is shown before it is asked for");
      await tree.getByText("Hidden · Show").click();
      assert.equal(await tree.getByText("hunter2 of the page").isVisible(), true);
      await tree.locator('.pick[data-pointer="/user/first-name"]').focus();
      await page.keyboard.press("Enter");
      assert.equal(await page.locator("[data-chosen] [data-pointer]").innerText(), "/user/first-name");
      const copied = async (name) => {
        await page.getByRole("button", { name }).click();
        await page.getByText("Copied").waitFor();
        const text = await page.evaluate(() => navigator.clipboard.readText());
        await page.getByRole("button", { name }).waitFor();
        return text;
      };
      assert.equal(await copied("Copy template path"), "user.first-name");
      assert.equal(await copied("Copy pointer"), "/user/first-name");
      assert.equal(await copied("Copy value"), '"A \\ud83d"');
      await tree.locator('.pick[data-pointer="/one"]').click();
      await page.getByRole("link", { name: "Search for it" }).click();
      await page.waitForURL(/q=body/);
      assert(await page.locator(`#rows a[href="${at}"]`).count() === 1, "the value finds its delivery");
      await shoot(at, "body-tree");
      await page.context().close();
    },

    async "text, bytes, form, parts, points and image each have their tab"() {
      const page = await newPage();
      const tab = async (name) => {
        await page.getByRole("navigation", { name: "Show the body as" }).getByRole("link", { name, exact: true }).click();
        await page.waitForLoadState();
      };
      await page.goto(inspector + await capture('[{"variable":"co2","value":41.50,"unit":"ppm","time":"2026-03-09T07:14:58Z"}]', "application/json"));
      await tab("Points");
      assert.match(await page.locator("#body tbody tr").innerText(), /co2\s+41\.50\s+ppm/);
      await shoot(new URL(page.url()).pathname + "?view=points", "body-points");
      await tab("Text");
      assert.match(await page.locator("#body-text").innerText(), /41\.50/);
      await tab("Bytes");
      assert.match(await page.locator("#body-hex").innerText(), /^00000000 {2}5b 7b 22/);
      await shoot(new URL(page.url()).pathname + "?view=hex", "body-bytes");
      await page.goto(inspector + await capture("a=1&b=%3Cb%3E&a=2", "application/x-www-form-urlencoded"));
      assert.equal(await page.locator("#body tbody tr").count(), 3);
      await shoot(new URL(page.url()).pathname, "body-form");

      const image = readFileSync(new URL("shots/zero-phone-light.png", import.meta.url));
      await page.goto(inspector + await capture(image, "text/html"));
      await page.waitForFunction(() => document.querySelector(".picture img")?.naturalWidth > 0);
      const parts = new FormData();
      parts.append("note", "plain");
      parts.append("file", new Blob([image], { type: "image/png" }), '"><svg onload=canary++>.html');
      const answer = await fetch(`${receiver}/webhook-test/parts`, { method: "POST", body: parts });
      const at = `/deliveries/${(await answer.json()).delivery_id}`;
      await page.goto(inspector + at);
      assert.equal(await page.locator(".part").count(), 2);
      await shoot(at, "body-parts");
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".part").nth(1).getByRole("link", { name: "Download" }).click()]);
      assert.match(download.suggestedFilename(), /^[\w.-]+\.html$/);
      await page.locator(".part").nth(1).getByRole("link", { name: "Look into it" }).click();
      await page.waitForFunction(() => document.querySelector(".picture img")?.naturalWidth > 0);
      assert.equal(await page.evaluate(() => window.canary), 0);
      await page.context().close();
    },
  };
}
