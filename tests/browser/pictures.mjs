// Makes the pictures of the guide: node pictures.mjs PROGRAM FOLDER
//
// The program runs on a history of two hours that is made here: eight devices of a building, senders that go wrong in the
// usual ways, two endpoints of which one fails. Its wall clock is set by libfaketime, a minute a step.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const [program, out] = process.argv.slice(2);
if (!out) throw new Error("usage: node pictures.mjs PROGRAM FOLDER");
mkdirSync(out, { recursive: true });
const home = mkdtempSync(join(tmpdir(), "pictures-"));
const folder = join(home, "tagohook-data");
mkdirSync(folder);
const wall = join(folder, "wall");
const clock = (minutesAgo) => writeFileSync(wall, `-${minutesAgo * 60}`);
const MINUTES = 120;

writeFileSync(join(folder, "partner"), "a-secret-of-the-partner-0123456789", { mode: 0o600 });
writeFileSync(join(folder, "tagohook.toml"), `
[[source]]
name = "tagorun"
secrets = ["file:signing-secret"]
entity = "/device/id"
silence_after = "20m"

[[source]]
name = "tagoio"
signature = "none"
credentials = [{ bearer = "file:tagoio-token" }]
schema = "warn"

[[source]]
name = "partner-acme"
secrets = ["file:partner"]
allow = ["203.0.113.0/24"]
`);

const sink = createServer((request, response) => {
  request.resume().on("end", () => response.writeHead(request.url.startsWith("/warehouse") ? 503 : 200).end());
});
await new Promise((done) => sink.listen(0, "127.0.0.1", done));

const library = readdirSync("/usr/lib", { withFileTypes: true }).map((entry) => `/usr/lib/${entry.name}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));
// The page Connect shows an address that was checked.
writeFileSync(join(folder, "public-address"), "https://hooks.example.com/\n");
clock(MINUTES);
const args = ["--config", join(folder, "tagohook.toml"), "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"];
const server = spawn(resolve(program), args, {
  cwd: home,
  stdio: "ignore",
  env: { ...process.env, LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: wall, FAKETIME_NO_CACHE: "1", DONT_FAKE_MONOTONIC: "1" },
});
server.on("exit", (code) => { if (code) process.exit(code); });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
while (!existsSync(join(folder, "addresses.json"))) await pause(50);
const { inspector, receiver } = JSON.parse(readFileSync(join(folder, "addresses.json"), "utf8"));
const secret = readFileSync(join(folder, "signing-secret"), "utf8").trim();
const token = readFileSync(join(folder, "tagoio-token"), "utf8").trim();

async function api(method, path, body) {
  const response = await fetch(`http://${inspector}/api/v1/${path}`,
    { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
const sign = (body, key = secret) => createHmac("sha256", key).update(body).digest("hex");
const post = (path, body, headers) => fetch(`http://${receiver}${path}`,
  { method: "POST", body, headers: { "Content-Type": "application/json", "User-Agent": "TagoRUN-Webhook/1.0", ...headers } });
const signed = (body, key) => post("/webhook/tagorun", body, { "X-TagoRUN-Signature": sign(body, key) });

const subscription = (name, path, event) => api("POST", "subscriptions",
  { name, event, webhook_url: `http://127.0.0.1:${sink.address().port}${path}`, retry_policy: { max_attempts: 1 } });
await subscription("Slack #facilities", "/slack", "data.threshold");
await subscription("Data warehouse", "/warehouse", "data.received");

const DEVICES = ["Boiler room", "Lobby air", "Meeting room 4.12", "Greenhouse", "Cold store", "Roof weather", "Car park", "Water meter"];
const id = (n) => `66f16881c9034800${(0x9ff100 + n).toString(16).padStart(8, "0")}`;
let events = 0;
const event = (minute, n, name, data) => JSON.stringify({
  id: `evt_${(++events).toString().padStart(6, "0")}`, event: name,
  timestamp: new Date(Date.now() - minute * 60_000).toISOString(),
  device: { id: id(n), name: DEVICES[n] }, data,
});
const wave = (minute, n, base, swing) => Math.round((base + swing * Math.sin((minute + 17 * n) / 14)) * 10) / 10;

for (let minute = MINUTES; minute >= 0; minute -= 1) {
  clock(minute);
  const sent = [];
  for (let n = 0; n < DEVICES.length; n += 1) {
    // The cold store fell silent an hour ago; the others report at intervals of their own.
    if ((minute + n) % (n + 2) || (n === 4 && minute < 60)) continue;
    const variables = [
      { variable: "temperature", value: wave(minute, n, 20 + n, 4), unit: "°C" },
      { variable: "humidity", value: wave(minute + 30, n, 55, 12), unit: "%" },
      { variable: "door_open", value: Math.floor((minute + n) / 9) % 3 === 0 },
    ];
    if (n === 5) variables.push({ variable: "location", value: "roof", location: { lat: 52.52 + wave(minute, n, 0, 0.01), lng: 13.4 + wave(minute + 9, n, 0, 0.02) } });
    sent.push(signed(event(minute, n, "data.received", { variables })));
  }
  if (minute % 11 === 3) sent.push(signed(event(minute, 0, "data.threshold", { variable: "temperature", value: 81.5, threshold: 75, unit: "°C" })));
  if (minute % 17 === 5) sent.push(signed(event(minute, 2, "user.login", {}).replace("user.login", "user.logout")));
  if (minute % 13 === 4) {
    const body = event(minute, 1, "device.status_changed", { status: "offline" });
    // Signed by compact JSON, sent with indentation.
    sent.push(post("/webhook/tagorun", JSON.stringify(JSON.parse(body), null, 2), { "X-TagoRUN-Signature": sign(body) }));
  }
  if (minute % 19 === 2) sent.push(signed(event(minute, 6, "data.received", {}), "another-secret-0123456789abcdef"));
  if (minute % 23 === 7) sent.push(post("/webhook/partner-acme", event(minute, 7, "data.received", {}), {}));
  if (minute % 9 === 1) {
    const points = ["temperature", "pressure"].map((variable, at) => ({
      id: `${id(minute)}${at}`.slice(-24), variable, value: wave(minute, 3 + at, 21, 3), unit: at ? "bar" : "°C",
      group: id(minute), device: id(3), time: new Date(Date.now() - minute * 60_000).toISOString(),
    }));
    sent.push(post("/webhook/tagoio", JSON.stringify(points), { Authorization: `Bearer ${token}`, "User-Agent": "axios/1.7.2" }));
  }
  if (minute === 1) sent.push(signed(event(0, 3, "data.threshold", { variable: "co2", value: 1480, threshold: 1200, unit: "ppm" })));
  await Promise.all(sent);
  // Has the counts of this minute written down.
  await api("GET", "overview?range=1h");
}
await pause(2500);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
async function picture(name, path, { width = 1280, height = 800, colorScheme = "light", then } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  await page.goto(`http://${inspector}${path}`);
  await then?.(page);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(out, `${name}.png`) });
  await context.close();
}
const { deliveries } = await api("GET", "deliveries?verdict=rejected&reason=signature_mismatch&limit=50");
const reformatted = deliveries.find((delivery) => /reformat|re-format/i.test(delivery.headline ?? "")) ?? deliveries[0];
const { subscriptions } = await api("GET", "subscriptions");
await picture("list", "/", { then: async (page) => {
  await page.goto(`http://${inspector}/?q=verdict%3Arejected`);
  await page.locator(`#rows tr[data-id="${reformatted.id}"] a`).first().click();
  await page.locator("#detail h1, #detail h2").first().waitFor();
} });
await picture("overview", "/overview?range=1h", { colorScheme: "dark" });
await picture("subscription", `/subscriptions/${subscriptions[0].id}`);
await picture("connect", "/connect?for=tagoio");
await browser.close();
server.kill();
sink.close();
sink.closeAllConnections();
rmSync(home, { recursive: true, force: true });
