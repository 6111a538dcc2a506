// The documentation: read, searched with and without scripts, copied from, and found in the palette.
import assert from "node:assert/strict";

export function docsSteps({ newPage, shoot, isAccessible, inspector }) {
  return {
    async "the documentation reads well in light, dark and on a phone"() {
      await shoot("/docs", "docs");
      await shoot("/docs/guide/quick-start", "docs-quick-start");
      await shoot("/docs/cli", "docs-cli");
      await shoot("/docs/reference/metrics", "docs-metrics");
      await shoot("/docs/deploy/proxies/nginx.conf", "docs-file");
      await shoot("/docs?q=signature+mismatch", "docs-search");
      await shoot("/docs?q=xyzzy", "docs-search-none");
    },

    async "a search of the documentation needs no script and leads to the section"() {
      const page = await newPage({ javaScriptEnabled: false });
      await page.goto(`${inspector}/docs`);
      await page.fill("#docs-q", "Signature MISMATCH");
      await page.press("#docs-q", "Enter");
      assert.equal(await page.locator(".docs-hits a").first().innerText(), "Signature mismatch");
      assert((await page.locator(".docs-hits mark").count()) > 1);
      await page.locator(".docs-hits a").first().click();
      assert.equal(page.url(), `${inspector}/docs/guide/debug#signature-mismatch`);
      assert.equal(await page.locator(".docs-nav [aria-current]").innerText(), "Find out what went wrong");
    },

    async "every page of the navigation opens, and its pictures load"() {
      const page = await newPage();
      await page.goto(`${inspector}/docs`);
      const links = await page.locator(".docs-nav a").evaluateAll((all) => all.map((link) => link.href));
      assert(links.length > 20, `${links.length}`);
      for (const link of links) {
        assert.equal((await page.goto(link)).status(), 200, link);
        assert.equal(await page.locator("h1:not(.top-title)").count(), 1, link);
        const broken = await page.locator(".docs-page img").evaluateAll((all) => all.filter((one) => one.naturalWidth === 0).length);
        assert.equal(broken, 0, link);
        await isAccessible(page, link);
      }
    },

    async "a block of code is copied as it is"() {
      const page = await newPage({ permissions: ["clipboard-read", "clipboard-write"] });
      await page.goto(`${inspector}/docs/guide/quick-start`);
      const block = page.locator(".docs-code", { hasText: "openssl dgst" });
      await block.locator("button").click();
      await block.getByText("Copied").waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(copied, await block.locator("code").textContent());
      assert.match(copied, /^body='\{"id"[^]*\| sed 's\/\.\* \/\/'\)"\n?$/);
    },

    async "a wrong address of the documentation names the right one"() {
      const page = await newPage();
      page.ignoresStatus = true;
      const answer = await page.goto(`${inspector}/docs/guide/quick-strat`);
      assert.equal(answer.status(), 404);
      await page.locator(".docs-page a", { hasText: "Quick start" }).first().click();
      assert.equal(page.url(), `${inspector}/docs/guide/quick-start`);
    },

    async "the palette searches the documentation"() {
      const page = await newPage();
      await page.goto(`${inspector}/overview`);
      await page.keyboard.press("Control+k");
      await page.fill("#palette input", "idempotency");
      await page.locator("#palette li", { hasText: "Search the documentation" }).click();
      await page.locator(".docs-hits").waitFor();
      assert.equal(page.url(), `${inspector}/docs?q=idempotency`);
    },
  };
}
