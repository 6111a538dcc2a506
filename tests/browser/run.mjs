// Drives the inspector's pages in a real Chromium.
//
//   node run.mjs INSPECTOR_URL RECEIVER_URL SECRET_FILE LOCKED_URL PARKED_FOLDER PROGRAM
//
// INSPECTOR_URL and RECEIVER_URL are like http://127.0.0.1:8081; the program runs with its default configuration on an
// empty data directory, and SECRET_FILE is its signing secret. LOCKED_URL is the inspector of another program, whose
// password is "correct horse battery". PARKED_FOLDER is the data directory of a third one; its configuration is the file
// tagohook.toml in it. PROGRAM is the program itself, for what needs one of its own. Exit 0: all well. Screenshots go to
// shots/.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";
import { attemptSteps } from "./attempts.mjs";
import { connectSteps } from "./connect.mjs";
import { connectionSteps } from "./connection.mjs";
import { handshakeSteps } from "./handshakes.mjs";
import { deliverySteps } from "./delivery.mjs";
import { docsSteps } from "./docs.mjs";
import { lensSteps } from "./lens.mjs";
import { listSteps } from "./list.mjs";
import { blemishes, looksSteps } from "./looks.mjs";
import { losslessSteps } from "./lossless.mjs";
import { mountedSteps } from "./mounted.mjs";
import { nodeSteps } from "./nodes.mjs";
import { paneSteps } from "./panes.mjs";
import { parkedSteps } from "./parked.mjs";
import { refusalSteps } from "./refusals.mjs";
import { replaySteps } from "./replays.mjs";
import { searchSteps } from "./search.mjs";
import { endpoint, senderSteps } from "./sender.mjs";
import { whatIfSteps } from "./what_if.mjs";
import { xssSteps } from "./xss.mjs";

const [inspector, receiver, secretFile, locked, parkedFolder, program] = process.argv.slice(2);
assert(program, "usage: node run.mjs INSPECTOR_URL RECEIVER_URL SECRET_FILE LOCKED_URL PARKED_FOLDER PROGRAM");
const parkedBase = `http://${JSON.parse(readFileSync(`${parkedFolder}/addresses.json`, "utf8")).inspector}`;
const secret = readFileSync(secretFile, "utf8").replace(/\r?\n$/, "");
const shots = new URL("shots/", import.meta.url);
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const complaints = [];
/** What pages may ask for; a step with a program of its own adds it. */
const bases = [inspector, locked, parkedBase];

async function newPage(options = {}, confirms = false) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  await context.addInitScript(() => {
    window.canary = 0;
    document.addEventListener("securitypolicyviolation", (event) => console.error("CSP", event.violatedDirective));
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    // A draft that is refused is what the editor asks for; the browser says so all the same.
    const isDraft = ["/api/v1/subscriptions/preview", "/what-if", "/replays", "q=colour%3Ared"].some((path) => message.location().url.includes(path));
    const isLogin = message.location().url.endsWith("/login");
    // Where every address is tried, some are refused.
    const isTried = page.ignoresStatus && /^(Failed to load resource|GET .* net::ERR_)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isDraft && !isLogin && !isTried) complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
  page.on("dialog", (dialog) => {
    if (confirms && dialog.type() === "confirm") return dialog.accept();
    complaints.push(`${page.url()}: a dialog opened`);
    return dialog.dismiss();
  });
  page.on("request", (request) => {
    if (![...bases, page.own ?? inspector].some((own) => request.url().startsWith(own))) complaints.push(`${page.url()} asks for ${request.url()}`);
  });
  return page;
}

async function post(path, body, headers = {}, key = secret) {
  const signature = createHmac("sha256", key).update(body).digest("hex");
  const answer = await fetch(receiver + path, {
    method: "POST", body,
    headers: { "Content-Type": "application/json", "X-TagoRUN-Signature": signature, ...headers },
  });
  return { status: answer.status, ...(await answer.json()) };
}

/** Fields whose border differs from what surrounds them by less than 3:1 (WCAG 1.4.11); axe does not look at that. */
function faintFields() {
  const channels = (colour) => colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("input, select, textarea")]
    .filter((field) => field.checkVisibility() && !["checkbox", "radio", "hidden"].includes(field.type))
    .filter((field) => {
      const [one, other] = [luminance(getComputedStyle(field).borderTopColor), luminance(behind(field))];
      return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) < 3;
    })
    .map((field) => field.outerHTML.slice(0, 120));
}

async function isAccessible(page, name) {
  const { violations } = await new AxeBuilder({ page }).options({ rules: { "target-size": { enabled: true } } }).analyze();
  const grave = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  assert.deepEqual(grave.map((violation) => [violation.id, violation.nodes.map((node) => node.html)]), [], name);
  assert.deepEqual(await page.evaluate(faintFields), [], `${name}: borders of fields under 3:1`);
}

const LOOKS = [["light", 1280], ["dark", 1280], ["light", 390], ["dark", 390]];
async function shoot(path, name, base = inspector) {
  for (const [colorScheme, width] of LOOKS) {
    const page = await newPage({ colorScheme, viewport: { width, height: width > 400 ? 860 : 844 } });
    await page.goto(base + path);
    await page.waitForTimeout(250);
    assert.deepEqual(await page.evaluate(blemishes), [], `${name} at ${width}`);
    const file = `${name}-${width > 400 ? "desktop" : "phone"}-${colorScheme}.png`;
    await page.screenshot({ path: new URL(file, shots).pathname, fullPage: width > 400 });
    await isAccessible(page, `${name} ${colorScheme} ${width}`);
    await page.context().close();
  }
}

const steps = {
  async "the first page has a URL, a button and a curl line that is signed"() {
    await shoot("/", "zero");
    const page = await newPage();
    await page.goto(inspector);
    assert.equal(await page.locator("#zero-title").innerText(), "Connect your first sender");
    assert.match(await page.locator("#receiver-url").innerText(), /\/webhook\/tagorun$/);
    assert.match(await page.locator("#curl").innerText(), /X-TagoRUN-Signature: [0-9a-f]{64}/);
    await page.waitForSelector('#light[data-state="live"]');
    await page.evaluate(() => { window.notReloaded = true; });
    await page.getByRole("button", { name: "Send a test delivery" }).first().click();
    const row = page.locator("#rows tr", { hasText: "webhook.test" });
    await row.waitFor({ timeout: 5000 });
    assert.equal(await row.locator(".pill").innerText(), "accepted");
    assert.equal(await page.evaluate(() => window.notReloaded), true, "the page was reloaded");
    await page.context().close();
  },

  async "a refusal appears without a reload, and its page says why"() {
    const page = await newPage();
    await page.goto(inspector);
    await page.waitForSelector('#light[data-state="live"]');
    await page.evaluate(() => { window.notReloaded = true; });
    const refused = await post("/webhook/tagorun", '{"event":"user.login"}', {}, "some other secret");
    assert.equal(refused.status, 401);
    const row = page.locator("#rows tr", { hasText: "Wrong secret or changed body" });
    await row.waitFor({ timeout: 5000 });
    assert.equal(await page.evaluate(() => window.notReloaded), true, "the page was reloaded");
    await row.locator("a").click();
    await page.locator("#detail #diagnosis").waitFor();
    assert.match(await page.locator("#diagnosis").innerText(), /^Wrong secret or changed body/);
    assert.match(await page.locator(".chip.fail[open] summary").innerText(), /signature/);
    assert.equal(await page.locator(".chip").count(), 7);
    await page.context().close();
  },

  async "the filter is in the URL, and the live list keeps to it"() {
    await post("/webhook/tagorun", "not json, before the filter");
    const page = await newPage();
    await page.goto(inspector);
    await page.getByText("Filters", { exact: true }).click();
    await page.locator('select[name="verdict"]').selectOption("rejected");
    await page.getByRole("button", { name: "Apply filters" }).click();
    await page.waitForURL(/verdict=rejected/);
    await page.waitForSelector('#light[data-state="live"]');
    const before = await page.locator("#rows tr[data-id]").count();
    await post("/webhook/tagorun", '{"id":"f1","event":"webhook.test","timestamp":"2026-03-09T07:14:58.402Z"}');
    await post("/webhook/tagorun", "not json");
    await page.locator("#rows tr[data-id]").nth(before).waitFor({ timeout: 5000 });
    assert.equal(await page.locator("#rows tr[data-id]").count(), before + 1);
    assert.equal(await page.locator("#rows .pill.accepted").count(), 0);
    await page.getByRole("button", { name: "Pause" }).click();
    await post("/webhook/tagorun", "not json either");
    await page.locator("#show-new", { hasText: "Show 1 new" }).click();
    assert.equal(await page.locator("#rows tr[data-id]").count(), before + 2);
    await page.context().close();
  },

  async "ui_03 nothing of a payload runs, and what hides is shown"() {
    const attack = '</script><img src=x onerror="window.canary=1"><svg onload=window.canary=1>\'"--><!--';
    const id = `x${attack}\u202e\u200b`;
    const body = JSON.stringify({ id, event: attack, timestamp: "2026-03-09T07:14:58.402Z", device: { id: attack },
      big: "PLACEHOLDER" }).replace('"PLACEHOLDER"', "1152921504606846976123");
    const watching = await newPage();
    await watching.goto(inspector);
    await watching.waitForSelector('#light[data-state="live"]');
    const query = encodeURIComponent(attack);
    const sent = await post(`/webhook/tagorun/${query}?x=${query}`, body, { "X-Attack": attack });
    assert.equal(sent.status, "processed");
    await watching.locator("#rows tr", { hasText: "onerror" }).first().waitFor({ timeout: 5000 });
    await post("/webhook-test", Buffer.from(`\u0000\xff${attack}`, "latin1"), { "Content-Type": "text/html" });
    const page = await newPage();
    await page.goto(`${inspector}/deliveries/${sent.delivery_id}?view=text`);
    assert.equal(await page.locator("#body-text").innerText().then((text) => text.includes("1152921504606846976123")), true);
    assert(await page.locator("#body-text .mark", { hasText: "U+202E" }).count() >= 1);
    for (const target of [page, watching]) {
      assert.equal(await target.evaluate(() => window.canary), 0);
      assert.equal(await target.locator("main img, main svg[onload], main script, main [onerror]").count(), 0);
    }
    await page.goto(`${inspector}/?q=${query}`);
    assert.equal(await page.locator('input[name="q"]').inputValue(), attack);
    assert.equal(await page.evaluate(() => window.canary), 0);
    await shoot(`/deliveries/${sent.delivery_id}`, "delivery-attack");
    await watching.context().close();
    await page.context().close();
  },

  async "list and detail work without scripts"() {
    for (const n of [1, 2, 3, 4]) await post("/webhook/tagorun", `not json, without scripts ${n}`);
    const page = await newPage({ javaScriptEnabled: false });
    await page.goto(inspector);
    assert(await page.locator("#rows tr[data-id]").count() > 3);
    await page.locator("#rows a").first().click();
    assert.equal(await page.locator("#diagnosis").count(), 1);
    await page.goto(`${inspector}/connect`);
    await page.getByRole("button", { name: "Send a test delivery" }).click();
    await page.waitForURL(`${inspector}/`);
    assert.match(await page.locator("#rows tr[data-id]").first().innerText(), /webhook\.test/);
    await page.context().close();
  },

  async "the login asks, refuses, and goes on to the page that was asked for"() {
    await shoot("/login", "login", locked);
    const page = await newPage();
    await page.goto(`${locked}/event-types/user.login`);
    await page.waitForURL(/\/login/);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("This is not the password.").waitFor();
    await isAccessible(page, "login refused");
    await page.getByLabel("Password").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${locked}/event-types/user.login`);
    const [cookie] = await page.context().cookies();
    assert(cookie.httpOnly && cookie.sameSite === "Lax");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForURL(/\/login/);
    await page.goto(`${locked}/messages`);
    assert.match(page.url(), /\/login/);
    await page.context().close();
  },

  async "every page, light and dark, desktop and phone"() {
    const login = JSON.stringify({ id: "evt_1", event: "user.login", timestamp: "2026-03-09T07:14:58.402Z", user: {} });
    await post("/webhook/tagorun", login);
    const test = JSON.stringify({ id: "evt_2", event: "device_alert", device: { id: "64c2f1a9b7e3d80009a1c0de" },
      timestamp: "2026-03-09T07:14:58.402Z", data: { threshold: 30, value: 31.5 } }, null, 2);
    await post("/webhook/tagorun", test);
    await post("/webhook/tagorun", test);
    await fetch(`${receiver}/webhook-test/anything?token=abc`, { method: "PUT", body: Buffer.from([0, 255, 254, 65]) });
    const read = async (query) => (await (await fetch(`${inspector}/api/v1/deliveries?${query}`)).json()).deliveries[0].id;
    await shoot("/", "list");
    await shoot("/?reason=signature_mismatch&status=401", "list-filtered");
    await shoot("/?q=nothing-holds-this", "list-none");
    await shoot(`/deliveries/${await read("reason=signature_mismatch")}`, "delivery-refused");
    await shoot(`/deliveries/${await read("reason=invalid_payload")}`, "delivery-invalid");
    await shoot(`/deliveries/${await read("verdict=duplicate")}`, "delivery-duplicate");
    await shoot(`/deliveries/${await read("verdict=accepted&event_id=evt_2")}`, "delivery-accepted");
    await shoot(`/deliveries/${await read("verdict=captured")}`, "delivery-captured");
    await shoot("/overview?range=1h", "overview");
    await shoot("/event-types", "event-types");
    await shoot("/event-types/user.login", "event-type");
  },
};

const own = await endpoint();
const all = { ...steps, ...senderSteps({ newPage, shoot, post, inspector, own }), ...lensSteps({ newPage, shoot, post, inspector }),
  ...looksSteps({ newPage, shoot, isAccessible, post, inspector }),
  ...whatIfSteps({ newPage, shoot, post, inspector }), ...replaySteps({ newPage, shoot, post, inspector, own }),
  ...losslessSteps({ newPage, shoot, receiver, inspector }), ...attemptSteps({ newPage, shoot, post, inspector }),
  ...mountedSteps({ newPage, program, shots }), ...refusalSteps({ newPage, shoot, inspector, receiver }),
  ...paneSteps({ newPage, isAccessible, post, inspector, shots }), ...parkedSteps({ newPage, shoot, folder: parkedFolder, own }),
  ...deliverySteps({ newPage, shoot, post, inspector, receiver, isAccessible }),
  ...connectSteps({ newPage, shoot, bases, program }), ...handshakeSteps({ newPage, shoot, bases, program }),
  ...listSteps({ newPage, isAccessible, post, inspector, secret, program, bases, shots }), ...connectionSteps({ newPage, post, inspector }),
  ...searchSteps({ newPage, isAccessible, shoot, shots, post, inspector, program }), ...nodeSteps({ newPage, isAccessible, program, shots }),
  ...docsSteps({ newPage, shoot, isAccessible, inspector }),
  ...xssSteps({ newPage, inspector, receiver, secret, own }) };
// ONLY=pattern runs the steps whose names match it.
const chosen = Object.entries(all).filter(([name]) => new RegExp(process.env.ONLY ?? "").test(name));
let failed = 0;
for (const [name, step] of chosen) {
  try {
    await step();
    assert.deepEqual(complaints.splice(0), []);
    console.log(`ok    ${name}`);
  } catch (fault) {
    failed += 1;
    complaints.length = 0;
    console.log(`FAIL  ${name}\n${fault.stack}`);
  }
}
await browser.close();
own.server.closeAllConnections();
own.server.close();
process.exit(failed === 0 ? 0 : 1);
