// More than 120 payloads that would run somewhere, in every place that a stranger can write to, shown on every page.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { connect } from "node:net";

const RUN = "canary++";

/** Elements and attributes, breakouts, schemes, encodings: each would count up `canary` if it ran. */
export const PAYLOADS = (() => {
  const handlers = [
    ["img", "src=x onerror"], ["svg", "onload"], ["body", "onload"], ["iframe", "onload"], ["input", "autofocus onfocus"],
    ["select", "autofocus onfocus"], ["textarea", "autofocus onfocus"], ["video", "src=x onerror"], ["audio", "src=x onerror"],
    ["details", "open ontoggle"], ["marquee", "onstart"], ["object", "data=x onerror"], ["embed", "src=x onload"],
    ["style", "onload"], ["link", "rel=stylesheet href=x onerror"], ["script", "src=x onerror"], ["a", "autofocus tabindex=0 onfocus"],
    ["div", "style=animation-name:x onanimationstart"], ["form", "id=x onsubmit"], ["math", "onmouseover"], ["svg/onload=x", "onbegin"],
    ["dialog", "open onclose"], ["template", "onload"], ["track", "onload"], ["source", "onerror"], ["keygen", "autofocus onfocus"],
  ];
  const elements = handlers.flatMap(([tag, handler]) => [`<${tag} ${handler}=${RUN}>`, `"><${tag} ${handler}="${RUN}">`, `'><${tag.toUpperCase()} ${handler}='${RUN}' x='`]);
  const scripts = [
    `<script>${RUN}</script>`, `</script><script>${RUN}</script>`, `"><script>${RUN}</script>`, `<ScRiPt>${RUN}</sCrIpT>`,
    `<script\n>${RUN}</script>`, `<script/x>${RUN}</script>`, `<<script>${RUN}//<</script>`, `</title><script>${RUN}</script>`,
    `</textarea><script>${RUN}</script>`, `</style><script>${RUN}</script>`, `</template><script>${RUN}</script>`,
    `</pre></code><script>${RUN}</script>`, `--><script>${RUN}</script><!--`, `]]><script>${RUN}</script>`, `<!--<script>${RUN}</script>`,
    `<svg><script>${RUN}</script></svg>`, `<math><mi xlink:href="javascript:${RUN}">x`, `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
    `<svg><a xlink:href="javascript:${RUN}"><text>x</text></a></svg>`, `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
    `<iframe srcdoc="<script>parent.${RUN}</script>">`, `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`, `<base href="javascript:/${RUN}/">`,
    `<object data="data:text/html,<script>parent.${RUN}</script>">`, `<embed src="javascript:${RUN}">`,
  ];
  const attributes = [
    `" onmouseover=${RUN} x="`, `' onmouseover=${RUN} x='`, `" autofocus onfocus=${RUN} x="`, `' autofocus onfocus='${RUN}`, `x onmouseover=${RUN}`,
    "` onmouseover=" + RUN + " `", `" style="background:url(javascript:${RUN})`, `"/onclick=${RUN}//`, `\u0000"><img src=x onerror=${RUN}>`, `\u2028"><img src=x onerror=${RUN}>`,
  ];
  const schemes = [`javascript:${RUN}`, `JaVaScRiPt:${RUN}`, `java\tscript:${RUN}`, `data:text/html,<script>${RUN}</script>`, `vbscript:${RUN}`, `//x/"onerror=${RUN}`, `javascript&colon;${RUN}`];
  const code = [`";${RUN};//`, `';${RUN};//`, "${" + RUN + "}", `{{${RUN}}}`, `{{constructor.constructor('${RUN}')()}}`, "`-" + RUN + "-`", `\\";${RUN};//`, `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e`, `&lt;script&gt;${RUN}&lt;/script&gt;`, `%3Cscript%3E${RUN}%3C/script%3E`, `\u202e<img src=x onerror=${RUN}>`];
  return [...elements, ...scripts, ...attributes, ...schemes, ...code];
})();

const quoted = (payload) => payload.replace(/[\r\n"\\\u0000]/g, " ");

export function xssSteps({ newPage, inspector, receiver, secret, own }) {
  const host = new URL(receiver);

  /** A POST whose every byte is ours. */
  function raw(path, headers, body) {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(host.port), host.hostname, () => {
        const lines = [`POST ${path} HTTP/1.1`, `Host: ${host.host}`, "Connection: close", `Content-Length: ${body.length}`, ...headers];
        socket.write(Buffer.concat([Buffer.from(lines.join("\r\n") + "\r\n\r\n", "latin1"), body]));
      });
      const chunks = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => resolve(Buffer.concat(chunks).toString()));
      socket.on("error", reject);
    });
  }
  const idIn = (answer) => /"delivery_id":"([0-9a-f-]+)"/.exec(answer)?.[1];
  const api = async (method, path, body) => (await fetch(`${inspector}/api/v1/${path}`, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) })).json();

  async function seed() {
    const pages = [];
    for (const [n, payload] of PAYLOADS.entries()) {
      const value = Buffer.from(quoted(payload).replace(/[^\x20-\xff]/g, " "), "latin1").toString("latin1");
      const path = `/webhook/tagorun/${encodeURIComponent(payload)}?x=${encodeURIComponent(payload)}`;
      const json = Buffer.from(JSON.stringify({ id: `${payload}#${n}`, event: payload, timestamp: "2026-03-09T07:14:58Z", device: { id: payload }, [payload]: { [payload]: payload }, password: payload, list: [payload] }));
      const signature = createHmac("sha256", secret).update(json).digest("hex");
      const accepted = await raw(path, [`X-TagoRUN-Signature: ${signature}`, "Content-Type: application/json", `X-Value: ${value}`, `User-Agent: ${value}`, `X-'*!#$%&|~^\`-${n}: x`], json);
      // One with a NUL in its id is refused, and shown all the same.
      assert.match(accepted, payload.includes("\u0000") ? /^HTTP\/1.1 400/ : /^HTTP\/1.1 200/, payload);
      pages.push(`/deliveries/${idIn(accepted) ?? (await api("GET", "deliveries?limit=1")).deliveries[0].id}`);
      const form = [
        ["application/x-www-form-urlencoded", Buffer.from(`${encodeURIComponent(payload)}=${encodeURIComponent(payload)}&payload=${encodeURIComponent(JSON.stringify({ [payload]: payload }))}`)],
        ["multipart/form-data; boundary=x", Buffer.from(`--x\r\nContent-Disposition: form-data; name="${quoted(payload)}"; filename="${quoted(payload)}"\r\nX-Part: ${quoted(payload)}\r\n\r\n${payload}\r\n--x--\r\n`)],
        ["text/html", Buffer.from(payload)],
        ["application/json", Buffer.from(`[{"variable":${JSON.stringify(payload)},"value":${JSON.stringify(payload)},"unit":${JSON.stringify(payload)}}]`)],
        ["application/json", Buffer.from(`{"a":${payload}`)],
      ][n % 5];
      const captured = await raw(`/webhook-test/${encodeURIComponent(payload)}`, [`Content-Type: ${form[0]}`, `X-Value: ${value}`], form[1]);
      pages.push(`/deliveries/${idIn(captured)}`);
    }
    return pages;
  }

  return {
    async "nothing of 120 payloads and more runs on any page"() {
      assert(PAYLOADS.length >= 120 && new Set(PAYLOADS).size === PAYLOADS.length, `${PAYLOADS.length} payloads`);
      const watching = await newPage();
      await watching.goto(inspector);
      await watching.waitForSelector('#light[data-state="live"]');
      const pages = await seed();
      // What goes out: a target, its answers, its errors; and what people write themselves.
      const some = PAYLOADS.filter((_, n) => n % 12 === 0);
      const subscriptions = [];
      for (const payload of some) {
        const { id } = await api("POST", "subscriptions", { name: payload, url: `${own.url}/${encodeURIComponent(payload)}?status=500`, events: [quoted(payload)], retry_policy: { max_attempts: 1 }, headers: { "X-Sent": quoted(payload).replace(/[^\x20-\x7e]/g, " ") } });
        if (id) subscriptions.push(`/subscriptions/${encodeURIComponent(id)}`);
      }
      const first = pages[0].split("/").at(-1);
      const second = pages[2].split("/").at(-1);
      for (const [n, payload] of some.entries()) {
        const id = pages[n * 24].split("/").at(-1);
        await api("PATCH", `deliveries/${id}`, { note: payload.replace(/\u0000/g, ""), tags: [payload.replace(/[\u0000-\u001f]/g, "").slice(0, 50)], pinned: true });
        await api("POST", `deliveries/${id}/replay`, { to: `${own.url}/?status=418`, signature: "none" });
        await api("POST", `deliveries/${id}/replay`, { to: "http://127.0.0.1:1/", signature: "none" });
      }
      const { run_id: run } = await api("POST", "deliveries/replay", { q: "verdict:captured", to: own.url, limit: 20 });
      const { messages = [] } = await api("GET", "messages?limit=5");
      const everywhere = [
        "/", "/?verdict=accepted", "/?before=999999999", "/overview", "/refusals", "/subscriptions", "/messages", "/dead-letters", "/health", "/event-types",
        "/drift", "/entities", "/replays", `/replays/${run}`, "/what-if", `/diff?a=${first}&b=${second}`, `/diff?a=${first}&b=${pages[1].split("/").at(-1)}`,
        ...subscriptions, ...messages.map((message) => `/messages/${message.id}`),
        ...some.flatMap((payload) => ["", "verdict=", "source=", "event_type="].map((name) => `/?${name || "q="}${encodeURIComponent(payload)}`)),
        ...some.map((payload) => `/entities/tagorun/${encodeURIComponent(payload)}`),
        ...some.map((payload) => `/replays?q=${encodeURIComponent(payload)}&rate=${encodeURIComponent(payload)}&url=${encodeURIComponent(payload)}`),
        ...some.map((payload) => `/what-if?q=${encodeURIComponent(payload)}&source=${encodeURIComponent(payload)}`),
        ...some.map((payload) => `/event-types/${encodeURIComponent(payload)}`),
        ...pages.slice(0, 20).flatMap((page) => ["text", "hex", "form", "parts", "points", "tree"].map((view) => `${page}?view=${view}&part=0`)),
        ...pages.slice(0, 4).map((page) => `${page}/schema`),
      ];
      const page = await newPage();
      page.ignoresStatus = true;
      for (const path of [...pages, ...everywhere]) {
        await page.goto(inspector + path, { waitUntil: "load" });
        assert.equal(await page.evaluate(() => window.canary), 0, path);
        assert.equal(await page.locator("main script, main iframe, main object, main embed, main [onerror], main [onload], main [onfocus], main [href^='javascript' i]").count(), 0, path);
      }
      // The live list made its rows in the browser, and the pane its page.
      assert.equal(await watching.evaluate(() => window.canary), 0);
      await watching.locator("#rows a").first().click();
      await watching.locator("#detail #diagnosis").waitFor();
      for (let n = 0; n < 20; n += 1) { await watching.keyboard.press("j"); await watching.waitForTimeout(30); }
      assert.equal(await watching.evaluate(() => window.canary), 0);
      assert.equal(await watching.locator("main img, main script, main iframe").count(), 0);
      await watching.context().close();
      await page.context().close();
    },
  };
}
