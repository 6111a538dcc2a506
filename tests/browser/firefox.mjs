// Walks the main path in Firefox: node firefox.mjs PROGRAM
//
// From an empty program to a refused delivery that is understood, then through every entry of the navigation, on a wide
// screen and on a phone. Exit 0: all well.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const [program] = process.argv.slice(2);
assert(program, "usage: node firefox.mjs PROGRAM");
const folder = mkdtempSync(join(tmpdir(), "firefox-"));
const args = ["--data-dir", folder, "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"];
const server = spawn(program, args, { stdio: "ignore" });
while (!existsSync(join(folder, "addresses.json"))) await new Promise((done) => setTimeout(done, 50));
const addresses = JSON.parse(readFileSync(join(folder, "addresses.json"), "utf8"));
const [inspector, receiver] = [`http://${addresses.inspector}`, `http://${addresses.receiver}`];

const browser = await puppeteer.launch({
  browser: "firefox", headless: true, executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
});
const complaints = [];
async function open(path, width = 1280) {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 860 });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`);
  });
  await page.goto(inspector + path);
  return page;
}
const textOf = (page, selector) => page.$eval(selector, (element) => element.innerText);

const steps = {
  async "the first page sends a test delivery, and its row appears"() {
    const page = await open("/");
    await page.waitForSelector('#light[data-state="live"]');
    await page.locator("[data-send-test] button").click();
    await page.waitForSelector("#rows tr a", { visible: true });
    assert.match(await textOf(page, "#rows tr[data-id]"), /webhook\.test/);
    await page.close();
  },

  async "a refused request appears without a reload, and one click says why"() {
    const page = await open("/");
    await page.waitForSelector('#light[data-state="live"]');
    const { status } = await fetch(`${receiver}/webhook/tagorun`, { method: "POST", body: '{"event":"user.login"}' });
    assert.equal(status, 401);
    await page.waitForFunction(() => document.querySelector("#rows tr[data-id]")?.innerText.match(/not signed/i));
    await page.locator("#rows tr a").click();
    await page.waitForFunction(() => document.querySelector("#detail")?.innerText.match(/Unsigned|not signed/));
    assert.match(page.url(), /\/deliveries\/|#/);
    await page.close();
  },

  async "a search finds it"() {
    const page = await open("/");
    await page.locator('input[name="q"]').fill("verdict:rejected");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    await page.waitForSelector("#rows tr a");
    assert.equal(await page.$$eval("#rows tr[data-id]", (rows) => rows.length), 1);
    await page.close();
  },

  async "every entry of the navigation opens its page"() {
    const page = await open("/");
    const links = await page.$$eval("#side li a", (all) => all.map((link) => link.getAttribute("href")));
    assert(links.length >= 9, links.join(" "));
    for (const link of links) {
      await page.goto(inspector + link);
      assert.equal(await page.$eval("#side a[aria-current]", (here) => here.getAttribute("href")), link);
      assert.equal(await page.$$eval("h1", (all) => all.length), 1, link);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert(overflow <= 0, `${link} is ${overflow} px too wide`);
    }
    await page.close();
  },

  async "on a phone the navigation is behind a button that names the page"() {
    const page = await open("/overview", 390);
    assert.match(await textOf(page, ".menu-open"), /Overview/);
    await page.locator(".menu-open").click();
    await page.waitForSelector("#side:popover-open");
    await Promise.all([page.waitForNavigation(), page.locator('#side a[href="/entities"]').click()]);
    assert.match(await textOf(page, ".menu-open"), /Devices/);
    await page.close();
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    assert.deepEqual(complaints.splice(0), []);
    console.log(`ok Firefox: ${name}`);
  } catch (error) {
    failed += 1;
    complaints.splice(0);
    console.log(`FAIL Firefox: ${name}\n${error.stack}`);
  }
}
await browser.close();
server.kill();
rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
