// What the packages of npm sign, and what they say of signatures that we made: for `tests/it/real_libraries.rs`.
//   node signers.mjs sign             prints requests
//   node signers.mjs verify <messages prints, for each message, the packages that verify it
import { readFileSync } from 'node:fs';
import { sign as octokitSign, verify as octokitVerify } from '@octokit/webhooks-methods';
import { CloudEvent, HTTP } from 'cloudevents';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';

const sources = JSON.parse(readFileSync(new URL('signers.json', import.meta.url)));
const secret = (name) => sources.find((source) => source.name === name).secret;
const stripe = new Stripe('sk_test_nobody');
const json = { 'Content-Type': 'application/json' };
const payload = (id) => JSON.stringify({ id, object: 'event', type: 'invoice.paid', data: { at: 'Zürich <a&b> €', amount: 19.9 } });

async function sign() {
  const requests = [];
  const add = (library, source, headers, body) =>
    requests.push({ library, source, headers, body: Buffer.from(body).toString('base64') });
  const now = new Date();
  const seconds = String(Math.floor(now.getTime() / 1000));

  for (const [library, Webhook, prefix] of [['svix', SvixWebhook, 'svix'], ['standardwebhooks', StandardWebhook, 'webhook']]) {
    const body = payload(`evt_npm_${library}`);
    const signature = new Webhook(secret('standard')).sign(`msg_npm_${library}`, now, body);
    add(library, 'standard', { ...json, [`${prefix}-id`]: `msg_npm_${library}`, [`${prefix}-timestamp`]: seconds, [`${prefix}-signature`]: signature }, body);
  }
  const github = payload('evt_npm_octokit');
  add('@octokit/webhooks-methods', 'github', {
    ...json,
    'X-GitHub-Event': 'ping', 'X-GitHub-Delivery': 'npm-octokit', 'X-Hub-Signature-256': await octokitSign(secret('github'), github),
  }, github);
  const striped = payload('evt_npm_stripe');
  add('stripe', 'stripe', {
    ...json,
    'Stripe-Signature': stripe.webhooks.generateTestHeaderString({ payload: striped, secret: secret('stripe') }),
  }, striped);
  const event = new CloudEvent({ id: 'ce-npm', source: '/tests', type: 'reading.taken', data: { id: 'dev-7', value: 21.5 } });
  for (const [library, form] of [['cloudevents', HTTP.structured], ['cloudevents binary', HTTP.binary]]) {
    const message = form(event.cloneWith({ id: `npm ${library}` }));
    add(library, 'cloud', message.headers, message.body);
  }
  console.log(JSON.stringify(requests));
}

/** Whether `check` takes the body and refuses it with a blank more. */
async function holds(check, body) {
  const taken = async (text) => {
    try {
      return (await check(text)) !== false;
    } catch {
      return false;
    }
  };
  return (await taken(body)) && !(await taken(`${body} `));
}

async function verify() {
  const verified = [];
  for (const { scheme, secret: key, headers, body: encoded } of JSON.parse(readFileSync(0))) {
    const body = Buffer.from(encoded, 'base64').toString();
    const checks = {
      'standard-webhooks': {
        svix: (text) => new SvixWebhook(key).verify(text, headers),
        standardwebhooks: (text) => new StandardWebhook(key).verify(text, headers),
      },
      github: { '@octokit/webhooks-methods': (text) => octokitVerify(key, text, headers['x-hub-signature-256']) },
      // TagoRUN's header is GitHub's without the name of the digest.
      tagorun: { '@octokit/webhooks-methods': (text) => octokitVerify(key, text, `sha256=${headers['x-tagorun-signature']}`) },
      stripe: { stripe: (text) => stripe.webhooks.constructEvent(text, headers['stripe-signature'], key) },
    }[scheme];
    const names = [];
    for (const [name, check] of Object.entries(checks ?? {})) if (await holds(check, body)) names.push(name);
    if (scheme === 'none' && HTTP.toEvent({ headers, body }).validate()) names.push('cloudevents');
    verified.push(names);
  }
  console.log(JSON.stringify(verified));
}

await (process.argv[2] === 'verify' ? verify() : sign());
