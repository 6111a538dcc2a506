// The inspector under a path of a real nginx: scripts, the live list, panes, forms and the log-in, in a browser.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PASSWORD = "correct horse battery";

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function until(what, done) {
  for (let n = 0; n < 500; n += 1) {
    if (await done()) return;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  throw new Error(`not yet: ${what}`);
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => { socket.destroy(); resolve(true); });
    socket.on("error", () => resolve(false));
  });
}

/** The directives that make nginx speak TLS, with a certificate that nobody has signed. */
function tls(folder) {
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "certificate.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", ...files], { stdio: "ignore" });
  return `ssl_certificate ${folder}/certificate.pem; ssl_certificate_key ${folder}/key.pem;`;
}

/** A program behind an nginx that asks it for `target`, and what both leave behind. */
async function mounted(program, scheme, target) {
  const folder = mkdtempSync(join(tmpdir(), "mounted-"));
  const data = join(folder, "data");
  const port = await freePort();
  const base = `${scheme}://127.0.0.1:${port}/tagohook`;
  const hash = execFileSync(program, ["hash-password"], { input: `${PASSWORD}\n` });
  mkdirSync(data);
  writeFileSync(join(data, "password"), hash);
  const inspector = spawn(program, ["--data-dir", data, "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"], {
    stdio: "ignore",
    env: { ...process.env, TAGOHOOK_INSPECTOR_PUBLIC_URL: `${base}/`, TAGOHOOK_INSPECTOR_PASSWORD_FILE: "password" },
  });
  await until("the program listens", () => existsSync(join(data, "addresses.json")));
  const addresses = JSON.parse(readFileSync(join(data, "addresses.json"), "utf8"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  writeFileSync(join(folder, "nginx.conf"), `daemon off; master_process off; pid ${folder}/pid; events {}
    http { access_log off; ${temporary.join(" ")} server { listen 127.0.0.1:${port}${scheme === "https" ? " ssl" : ""}; ${scheme === "https" ? tls(folder) : ""}
    location /tagohook/ { proxy_pass http://${addresses.inspector}${target}; proxy_http_version 1.1; proxy_buffering off; proxy_set_header Host $host; } } }`);
  const nginx = spawn("nginx", ["-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  await until("nginx listens", () => listens(port));
  const secret = readFileSync(join(data, "signing-secret"), "utf8").trimEnd();
  const post = async (body) => {
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    const headers = { "Content-Type": "application/json", "X-TagoRUN-Signature": signature };
    await fetch(`http://${addresses.receiver}/webhook/tagorun`, { method: "POST", body, headers });
  };
  const end = async () => {
    for (const child of [nginx, inspector]) {
      child.kill();
      await until("a child ends", () => child.exitCode !== null || child.signalCode !== null);
    }
    rmSync(folder, { recursive: true });
  };
  return { base, post, end };
}

export function mountedSteps({ newPage, program, shots }) {
  const steps = {};
  for (const [name, scheme, target] of [["removes", "http", "/"], ["keeps", "https", ""]]) {
    steps[`under a path that the proxy ${name}, over ${scheme}, every script and form stays there`] = async () => {
      const { base, post, end } = await mounted(program, scheme, target);
      try {
        const page = await newPage({ viewport: { width: 1400, height: 900 }, ignoreHTTPSErrors: true }, true);
        page.own = `${base}/`;
        const under = (path) => (url) => url.href.startsWith(`${base}${path}`);
        await page.goto(`${base}/drift`);
        await page.waitForURL(under("/login?next="));
        await page.getByLabel("Password").fill(PASSWORD);
        await page.keyboard.press("Enter");
        await page.waitForURL(`${base}/drift`);
        const [cookie] = await page.context().cookies();
        assert.deepEqual([cookie.path, cookie.sameSite, cookie.httpOnly, cookie.secure], ["/tagohook", "Lax", true, scheme === "https"]);

        await page.getByRole("link", { name: "Deliveries", exact: true }).click();
        await page.waitForSelector('#light[data-state="live"]');
        assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".top")).position), "sticky", "it has its style");
        await page.getByRole("button", { name: "Send a test delivery" }).first().click();
        await page.locator("#rows tr", { hasText: "webhook.test" }).waitFor();
        await post('{"id":"m-1","event":"user.login","timestamp":"2026-03-09T07:14:58.402Z","user":{"name":"Ana"}}');
        await page.locator("#rows tr", { hasText: "m-1" }).locator("a").first().click();
        await page.locator("#detail #diagnosis").waitFor();
        await page.screenshot({ path: new URL(`mounted-${name}.png`, shots).pathname });
        await page.locator('#detail .pick[data-pointer="/id"]').click();
        assert((await page.locator("#detail [data-search]").getAttribute("href")).startsWith(`${base}/?q=`));
        await page.locator("#detail [data-alone]").click();
        await page.waitForURL(under("/deliveries/"));

        await page.goto(`${base}/subscriptions/new`);
        await page.getByRole("tab", { name: "JSON" }).click();
        await page.locator("#json").fill(JSON.stringify({ name: "Nowhere", url: "http://127.0.0.1:9/x", events: ["*"] }));
        await page.getByText("would be sent", { exact: true }).waitFor();
        await page.locator("#save").click();
        await page.waitForURL(under("/subscriptions/"));
        await page.waitForFunction(() => !location.pathname.endsWith("/new"));
        await page.locator("#test").click();
        await page.getByRole("link", { name: "View the message" }).click();
        await page.waitForURL(under("/messages/"));
        await page.goto(`${base}/dead-letters`);

        await page.goto(`${base}/`);
        await page.getByRole("button", { name: "Select", exact: true }).click();
        await page.locator(".pick-row").first().check();
        await page.getByRole("link", { name: "Replay 1 selected…" }).click();
        await page.getByRole("button", { name: "Preview" }).click();
        await page.getByRole("button", { name: "Replay 1 delivery" }).click();
        await page.waitForURL(under("/replays/"));
        await page.locator("#progress:not([data-running])").waitFor();

        // A chat at another site: its link opens the page, its form logs nobody out.
        page.own = "http";
        const chat = `<a href="${base}/overview">look</a><form method="post" action="${base}/logout"><button>free beer</button></form>`;
        await page.route("http://chat.example/", (route) => route.fulfill({ contentType: "text/html", body: chat }));
        await page.goto("http://chat.example/");
        await page.getByRole("link", { name: "look" }).click();
        await page.waitForURL(`${base}/overview`);
        await page.goto("http://chat.example/");
        page.ignoresStatus = true;
        await page.getByRole("button", { name: "free beer" }).click();
        await page.getByRole("heading", { name: "Request from another site" }).waitFor();
        await page.screenshot({ path: new URL(`refused-${name}.png`, shots).pathname });
        await page.goto(`${base}/overview`);
        assert.equal(page.url(), `${base}/overview`, "nobody is logged out");
        await page.getByRole("button", { name: "Log out" }).click();
        await page.waitForURL(`${base}/login`);
        await page.context().close();
      } finally {
        await end();
      }
    };
  }
  return steps;
}
