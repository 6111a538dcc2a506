// Two nodes of one PostgreSQL database.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { blemishes } from "./looks.mjs";
import { startProgram } from "./program.mjs";

/** A new database on the server of the tests. */
function newDatabase() {
  const server = process.env.TAGOHOOK_TEST_POSTGRES;
  assert(server, "TAGOHOOK_TEST_POSTGRES: ./test starts a PostgreSQL server and says where it is");
  const name = `browser_${randomBytes(6).toString("hex")}`;
  execFileSync("psql", [server, "-qc", `CREATE DATABASE ${name}`]);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url, drop: () => execFileSync("psql", [server, "-qc", `DROP DATABASE ${name} WITH (FORCE)`]) };
}

export function nodeSteps({ newPage, isAccessible, program, shots }) {
  return {
    async "a page of one node shows what another node took, within a second, and names that node"() {
      const database = newDatabase();
      const files = { "store-key": "5b".repeat(32), "signing-secret": "a-secret-of-both-nodes-0123456789" };
      const start = (node) => startProgram(program, {
        config: `[store]\nurl = "${database.url}"\nnode = "${node}"\n`, files,
      });
      const [first, second] = [await start("north"), await start("south")];
      const page = await newPage();
      page.own = first.base;
      await page.goto(first.base);
      await page.waitForSelector('#light[data-state="live"]');
      await page.evaluate(() => { window.notReloaded = true; });
      const took = [];
      for (const id of ["one", "two", "three"]) {
        const body = `{"id":"${id}-of-south","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z"}`;
        const signature = createHmac("sha256", files["signing-secret"]).update(body).digest("hex");
        const sent = Date.now();
        const answer = await fetch(`${second.receiver}/webhook/tagorun`, {
          method: "POST", body, headers: { "X-TagoRUN-Signature": signature },
        });
        assert.equal(answer.status, 200);
        await page.locator("#rows tr", { hasText: `${id}-of-south` }).waitFor();
        took.push(Date.now() - sent);
      }
      // On a busy machine a single one may take longer.
      assert(took.toSorted((a, b) => a - b)[1] < 1000, `it took ${took} ms`);
      assert.equal(await page.evaluate(() => window.notReloaded), true, "the page was reloaded");
      await page.locator("#rows tr", { hasText: "one-of-south" }).locator("a").first().click();
      await page.locator("#detail dt", { hasText: "Node" }).waitFor();
      assert.equal(await page.locator("#detail dt", { hasText: "Node" }).locator("xpath=following-sibling::dd[1]").innerText(), "south");
      await page.goto(`${first.base}/overview`);
      const nodes = page.locator("#nodes tbody tr");
      assert.deepEqual(await nodes.locator("td:first-child").allInnerTexts(), ["north this one", "south"]);
      await isAccessible(page, "nodes");
      for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 390], ["dark", 390]]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 860 });
        assert.deepEqual(await page.evaluate(blemishes), [], `nodes, ${colorScheme} at ${width}`);
        await page.locator("#nodes").screenshot({ path: new URL(`nodes-${colorScheme}-${width}.png`, shots).pathname });
      }
      await page.context().close();
      await second.end();
      await first.end();
      database.drop();
    },
  };
}
