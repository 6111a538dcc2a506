// Requests as Shopify and Zendesk send them: for `tests/it/more_senders.rs`. Shopify's library makes the digest, and checks the whole
// request. Zendesk has no library: its documentation has this code (developer.zendesk.com, "Verifying webhooks").
import '@shopify/shopify-api/adapters/node';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import { ApiVersion, shopifyApi } from '@shopify/shopify-api';

const { createSHA256HMAC } = await import(new URL('./node_modules/@shopify/shopify-api/dist/esm/runtime/crypto/utils.mjs', import.meta.url));

const secret = 'a-secret-of-the-tests-0123456789';
const base64 = (text) => Buffer.from(text).toString('base64');
const requests = [];
const add = (sender, headers, value, event, eventId) => {
  // Written with blanks; the twin is what JSON.parse and JSON.stringify make of it.
  const body = JSON.stringify(value, null, 1);
  const twin = base64(JSON.stringify(JSON.parse(body)));
  requests.push({ sender, path: `/webhook/${sender}`, headers: { 'Content-Type': 'application/json', ...headers(body) }, body: base64(body), twin, event, event_id: eventId ?? null });
  return body;
};

const order = { id: 820982911946154500, email: 'zoë@example.com', updated_at: '2026-11-29T10:00:00-05:00', total_price: '403.00' };
const text = JSON.stringify(order, null, 1);
const hmac = await createSHA256HMAC(secret, text, 'base64');
const shopifyHeaders = () => ({
  'X-Shopify-Topic': 'orders/create', 'X-Shopify-Hmac-Sha256': hmac, 'X-Shopify-Shop-Domain': 'shop.myshopify.com', 'X-Shopify-API-Version': '2026-01',
  'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043', 'X-Shopify-Event-Id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
});
const shopify = shopifyApi({
  apiKey: 'key', apiSecretKey: secret, apiVersion: Object.values(ApiVersion)[0], hostName: 'hooks.example.com', isEmbeddedApp: false, scopes: ['read_orders'],
  logger: { level: 0 },
});
const validated = (rawBody) => shopify.webhooks.validate({ rawBody, rawRequest: { headers: shopifyHeaders(), method: 'POST', url: '/webhook/shopify' }, rawResponse: {} });
assert.equal((await validated(text)).valid, true);
assert.equal((await validated(JSON.stringify(order))).valid, false);
assert.equal(add('shopify', shopifyHeaders, order, 'orders/create'), text);

const zendesk = (body) => {
  const time = new Date().toISOString().replace(/\.\d+/, '');
  return { 'X-Zendesk-Webhook-Signature': createHmac('sha256', secret).update(time + body).digest('base64'), 'X-Zendesk-Webhook-Signature-Timestamp': time };
};
const ticket = { type: 'zen:event-type:ticket.created', id: '2b24ef10-19d1-4d5c-93a6-7f4f4f4b6d1f', subject: 'zen:ticket:76', time: '2026-11-29T10:00:00Z', event: {}, detail: { id: '76', subject: 'Grüße' } };
add('zendesk', zendesk, ticket, ticket.type, ticket.id);

process.stdout.write(JSON.stringify(requests));
