// What platforms ask before they send: how a person sees that it was answered, refused, or what is left to do.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { startProgram } from "./program.mjs";

const KEY = "a-signing-key-of-a-platform-0123";
const CONFIG = ["slack", "meta", "aws-sns"].map((name) => `[[source]]
name = "${name}"
handshake = "${name}"
schema = "off"
${{ "aws-sns": 'signature = "none"', meta: 'secrets = ["file:key"]\nhandshake_token = "file:token"' }[name] ?? 'secrets = ["file:key"]'}
`).join("") + '[[source]]\nname = "open"\nsignature = "none"\n';

export function handshakeSteps({ newPage, shoot, bases, program }) {
  return {
    async "a platform's handshake is a delivery whose page says what was asked and how it was answered"() {
      const own = await startProgram(program, { config: CONFIG, files: { key: KEY, token: "our-verify-token" } });
      bases.push(own.base);
      try {
        const page = await newPage();
        await page.goto(own.base);
        await page.waitForSelector('#light[data-state="live"]');
        const body = '{"type":"url_verification","challenge":"c-<b>1</b>","token":"t"}';
        const at = String(Math.floor(Date.now() / 1000));
        const signature = `v0=${createHmac("sha256", KEY).update(`v0:${at}:${body}`).digest("hex")}`;
        const asked = await fetch(`${own.receiver}/webhook/slack`, { method: "POST", body, headers: { "X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature } });
        assert.equal(await asked.text(), "c-<b>1</b>");
        await page.locator("#rows tr", { hasText: "handshake.slack" }).locator("a").first().click();
        const detail = page.locator("#detail");
        await detail.getByText("Handshake of Slack").first().waitFor();
        assert.match(await detail.innerText(), /Handshake of Slack: answered with the challenge/);
        assert.match(await detail.innerText(), /not an event, so nothing is forwarded/);
        assert.equal(await detail.locator("b", { hasText: /^1$/ }).count(), 0, "a challenge is text");
        assert.equal(await detail.getByRole("button", { name: /^Confirm/ }).count(), 0, "there is nothing to confirm");

        const query = "hub.mode=subscribe&hub.challenge=77&hub.verify_token=another";
        assert.equal((await fetch(`${own.receiver}/webhook/meta?${query}`)).status, 403);
        await page.goto(own.base);
        await page.locator("#rows tr", { hasText: "handshake.meta" }).locator("a").first().click();
        await detail.getByText("Handshake of Meta").first().waitFor();
        assert.match(await detail.innerText(), /verify token is not the one of handshake_token/);
        assert.doesNotMatch(await page.content(), /our-verify-token/);

        const link = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc";
        const headers = { "x-amz-sns-message-type": "SubscriptionConfirmation", "Content-Type": "text/plain" };
        const confirmation = { method: "POST", headers, body: JSON.stringify({ Type: "SubscriptionConfirmation", SubscribeURL: link }) };
        assert.equal((await fetch(`${own.receiver}/webhook/aws-sns`, confirmation)).status, 200);
        await fetch(`${own.receiver}/webhook/open`, confirmation);
        await page.goto(own.base);
        await page.locator("#rows tr", { hasText: "aws-sns" }).locator("a").first().click();
        await detail.getByText("Handshake of AWS SNS").first().waitFor();
        assert.match(await detail.innerText(), /open this link to confirm: https:\/\/sns\.eu-west-1/);
        await detail.getByRole("button", { name: /^Confirm/ }).waitFor();
        await shoot(new URL(page.url()).pathname + new URL(page.url()).search, "handshake", own.base);

        // A source without the line says which one is missing.
        const [row] = (await (await fetch(`${own.base}/api/v1/deliveries?source=open`)).json()).deliveries;
        await page.goto(`${own.base}/deliveries/${row.id}`);
        assert.match(await page.locator("main").innerText(), /Add this line to source “open”\.\s+handshake = "aws-sns"/);
        await page.context().close();
      } finally {
        await own.end();
      }
    },
  };
}
