// Requests without a delivery: named on the overview, listed on their page, and shown as text whatever they hold.
import assert from "node:assert/strict";
import { connect } from "node:net";

/** Writes bytes as they are and waits until the connection ends. */
function raw(base, text) {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("data", () => {}).on("error", reject).on("close", resolve);
  });
}

export function refusalSteps({ newPage, shoot, inspector, receiver }) {
  return {
    "requests without a delivery are named with their cure": async () => {
      for (let n = 0; n < 12; n += 1) {
        await fetch(`${receiver}/webhok/tagorun?n=${n}&token=hidden-value`, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
      }
      await fetch(`${receiver}/wp-login.php`);
      await raw(receiver, "POST /webhook/tagorun?room=Küche HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
      await raw(receiver, "POST /webhook/<script>canary=1</script>\" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
      await raw(receiver, "\x16\x03\x01\x02\x00\r\n\r\n");
      const page = await newPage();
      await page.goto(`${inspector}/overview`);
      const line = "12 requests were refused before becoming a delivery: unknown path. Latest: POST /webhok/tagorun. The route is /webhook/tagorun.";
      await page.locator(".attention li", { hasText: line }).getByRole("link", { name: "Show requests" }).click();
      await page.waitForURL("**/refusals");
      const row = page.getByRole("row").filter({ hasText: "webhok" });
      assert.match(await row.innerText(), /12[\s\S]*POST \/webhok\/tagorun\?n=11&token=\*\*\*[\s\S]*The route is \/webhook\/tagorun\.[\s\S]*404/);
      assert.equal(await page.getByText("“ü” must be percent-encoded: %C3%BC.").count(), 1);
      assert.equal(await page.getByText("hidden-value").count(), 0);
      assert.equal(await page.evaluate(() => window.canary), 0);
      assert.equal(await page.locator("main script").count(), 0);
      await page.context().close();
      await shoot("/refusals", "refusals");
    },
  };
}
