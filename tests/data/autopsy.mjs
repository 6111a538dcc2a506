// Requests whose signatures are wrong in one known way each, made with Node's own crypto: what `tests/it/autopsy.rs` sends.
import { createHash, createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';

const plain = 'a-signing-secret-of-the-tests-0123456789';
const hexSecret = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const base64Secret = Buffer.from('thirty-two bytes of a base64 key').toString('base64');
const whsec = `whsec_${Buffer.from('another thirty-two bytes of keys').toString('base64')}`;
const sources = [
  { name: 'plain', signature: 'tagorun', secret: plain },
  { name: 'other', signature: 'tagorun', secret: 'the-secret-of-the-other-source-42' },
  { name: 'blanks', signature: 'tagorun', secret: ' \tsecret-with-blanks-around-it ' },
  { name: 'quoted', signature: 'tagorun', secret: '"secret-with-quotes-around-it"' },
  { name: 'hex', signature: 'tagorun', secret: hexSecret },
  { name: 'base64', signature: 'tagorun', secret: base64Secret },
  { name: 'base64url', signature: 'tagorun', secret: 'abcdefghijklmnop_-rstuvwxyzABCDE' },
  { name: 'whsec', signature: 'tagorun', secret: whsec },
  { name: 'standard', signature: 'standard-webhooks', secret: whsec },
  { name: 'github', signature: 'github', secret: plain },
  { name: 'stripe', signature: 'stripe', secret: plain },
  { name: 'phrase', signature: 'tagorun', secret: 'a pass phrase, with blanks and more!' },
];

const id = 'msg_1';
const now = String(Math.floor(Date.now() / 1000));
const json = '{"id": "e1", "event": "user.login", "timestamp": "2026-03-09T07:14:58Z", "n": 1.0, "user": {"id": "u", "email": "m\\u00e9@x.example/a"}}';
const parsed = JSON.parse(json);
const hmac = (key, content, algorithm = 'sha256', encoding = 'hex') =>
  createHmac(algorithm, key).update(content).digest(encoding);
const sorted = (value) =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
    : value;
const escaped = (text) => text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const cases = [];
/** A case: the variant that must be named, its source, the body that is sent, and what else differs. */
function add(variant, { source = 'plain', body = json, header = 'X-TagoRUN-Signature', value, headers = {} }) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  cases.push({ variant, source, body: bytes.toString('base64'), headers: { ...headers, ...(value === undefined ? {} : { [header]: value }) } });
}
/** The body as it is, signed with another key. */
const key = (variant, source, bytes) => add(variant, { source, value: hmac(bytes, json) });
/** The right key over other bytes. */
const content = (variant, signed, body = json, headers = {}) => add(variant, { body, headers, value: hmac(plain, signed) });

key('another-sources-secret', 'plain', 'the-secret-of-the-other-source-42');
key('secret-trimmed', 'blanks', 'secret-with-blanks-around-it');
key('secret-unquoted', 'quoted', 'secret-with-quotes-around-it');
key('secret-quoted', 'plain', `"${plain}"`);
key('secret-with-newline', 'plain', `${plain}\n`);
key('secret-with-newline', 'plain', `${plain}\r\n`);
key('secret-hex-decoded', 'hex', Buffer.from(hexSecret, 'hex'));
key('secret-base64-decoded', 'base64', Buffer.from(base64Secret, 'base64'));
key('secret-base64url-decoded', 'base64url', Buffer.from('abcdefghijklmnop_-rstuvwxyzABCDE', 'base64url'));
key('secret-hex-encoded', 'plain', Buffer.from(plain).toString('hex'));
key('secret-base64-encoded', 'plain', Buffer.from(plain).toString('base64'));
key('secret-other-case', 'plain', plain.toUpperCase());
key('secret-is-its-name', 'plain', 'file:secret-plain');
key('secret-not-set', 'plain', 'undefined');
key('secret-not-set', 'plain', '');
key('whsec-decoded', 'whsec', Buffer.from(whsec.slice(6), 'base64'));
key('whsec-not-decoded', 'whsec', whsec.slice(6));

add('base64-digest', { value: hmac(plain, json, 'sha256', 'base64') });
add('base64url-digest', { value: hmac(plain, json, 'sha256', 'base64url') });
add('prefix-doubled', { value: `sha256=sha256=${hmac(plain, json)}` });
add('prefix-other', { value: `hmac=${hmac(plain, json)}` });
add('signature-quoted', { value: `"${hmac(plain, json)}"` });
add('another-header', { header: 'X-Hub-Signature-256', value: `sha256=${hmac(plain, json)}` });
add('another-header', { header: 'X-Signature', value: hmac(plain, json) });
add('sha1', { value: hmac(plain, json, 'sha1') });
add('sha384', { value: hmac(plain, json, 'sha384') });
add('sha512', { value: hmac(plain, json, 'sha512') });
add('prefix-other+sha1', { value: `sha1=${hmac(plain, json, 'sha1')}` });
add('sha1', { source: 'github', header: 'X-Hub-Signature-256', value: `${hmac(plain, json, 'sha1')}` });

const stamped = { 'X-Webhook-Timestamp': now };
content('timestamp-body', `${now}.${json}`, json, stamped);
content('timestamp-body', `v0:${now}:${json}`, json, stamped);
content('id-timestamp-body', `${id}.${now}.${json}`, json, { 'webhook-id': id, 'webhook-timestamp': now });
content('path-body', `/webhook/plain${json}`);
content('newline-added', `${json}\n`);
content('newline-removed', json, `${json}\n`);
content('blanks-removed', json, `  ${json} `);
content('crlf-as-lf', '{\n"id":"e2",\n"event":"user.login"}', '{\r\n"id":"e2",\r\n"event":"user.login"}');
content('lf-as-crlf', '{\r\n"id":"e3",\r\n"event":"user.login"}', '{\n"id":"e3",\n"event":"user.login"}');
content('without-bom', json, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(json)]));
content('with-bom', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(json)]));
content('json-numbers', JSON.stringify(parsed));
content('json-compact', '{"a":1.0,"b":"\\u00e9"}', '{"a": 1.0, "b": "\\u00e9"}');
content('json-numbers', JSON.stringify(sorted(parsed)));
content('json-sorted', '{"a":2,"b":1}', '{"b":1,"a":2}');
content('json-numbers', JSON.stringify(parsed, null, 2));
content('json-pretty', '{\n    "a": 1.50,\n    "b": []\n}', '{"a":1.50,"b":[]}');
content('json-unescaped', '{"a":1.0,"b":"é"}', '{"a":1.0,"b":"\\u00e9"}');
content('json-escaped', escaped('{"a":1.0,"b":"é"}'), '{"a":1.0,"b":"é"}');
content('json-escaped', '{"a":"\\u00e9\\/x"}', '{"a":"é/x"}');
content('json-php', '{"a":"\\u00e9\\/x","o":[]}', '{"a":"é/x","o":{}}');
content('json-python', '{"b": 1.0, "a": [1, 2]}', '{"b":1.0,"a":[1,2]}');
content('json-spaced', '{"a": 1.0, "b": [1, 2]}', '{"a":1.0,"b":[1,2]}');
content('json-twice', JSON.stringify(json));
content('unpacked', json, gzipSync(json), { 'Content-Encoding': 'gzip' });
content('body-cut', json.slice(0, 77));
content('body-cut', Buffer.from('{"a":"äöü"}').subarray(0, 11), '{"a":"äöü"}');
content('body-empty', '');
content('body-digest', createHash('sha256').update(json).digest('hex'));
content('other-charset', Buffer.from('{"a":"é"}', 'latin1'), '{"a":"é"}');
content('form-decoded', '{"a":1}', 'payload=%7B%22a%22%3A1%7D');
add('plain-hash', { value: createHash('sha256').update(json).digest('hex') });
add('plain-hash', { value: createHash('sha256').update(plain + json).digest('hex') });
add('secret-with-newline+json-numbers', { value: hmac(`${plain}\n`, JSON.stringify(parsed)) });
add('json-numbers+base64-digest', { value: hmac(plain, JSON.stringify(parsed), 'sha256', 'base64') });

const standard = (key, signed, write = (digest) => `v1,${digest}`, encoding = 'base64') => ({
  source: 'standard', header: 'webhook-signature', headers: { 'webhook-id': id, 'webhook-timestamp': now },
  value: write(hmac(key, signed, 'sha256', encoding)),
});
const standardKey = Buffer.from(whsec.slice(6), 'base64');
const framed = `${id}.${now}.${json}`;
add('whsec-kept', standard(whsec, framed));
add('whsec-not-decoded', standard(whsec.slice(6), framed));
add('body-alone', standard(standardKey, json));
add('prefix-missing', standard(standardKey, framed, (digest) => digest));
add('hex-digest', standard(standardKey, framed, (digest) => `v1,${digest}`, 'hex'));
add('timestamp-body', standard(standardKey, `${now}.${json}`));
const striped = (signed) => ({ source: 'stripe', header: 'Stripe-Signature', value: `t=${now},v1=${hmac(plain, signed)}` });
add('body-alone', striped(json));

// The digest is right, and something else is not: nothing was put right since, and no replay helps.
const standardized = (headers, value) => ({ source: 'standard', header: 'webhook-signature', headers, value });
const rightly = (time, write = (digest) => `v1,${digest}`) =>
  standardized({ 'webhook-id': id, 'webhook-timestamp': time }, write(hmac(standardKey, `${id}.${time}.${json}`, 'sha256', 'base64')));
const rightDigest = hmac(standardKey, framed, 'sha256', 'base64');
add('base64-unpadded', rightly(now, (digest) => `v1,${digest.replace(/=+$/, '')}`));
add('timestamp-format', rightly('2026-11-28T14:00:00Z'));
add('timestamp-format', rightly(`${now}.5`));

// Texts of signatures, and where they stand.
const hex = hmac(plain, json);
add('signature-python-bytes', { value: `b'${hex}'` });
add('signature-python-bytes+base64-digest', { value: `b'${hmac(plain, json, 'sha256', 'base64')}'` });
add('signature-separated', { value: hex.toUpperCase().match(/../g).join('-') });
add('signature-0x', { value: `0x${hex}` });
add('signature-encoded-twice', { value: Buffer.from(hex).toString('base64') });
add('signature-encoded-twice', { value: Buffer.from(hex).toString('hex') });
add('signature-percent+base64-digest', { value: encodeURIComponent(hmac(plain, json, 'sha256', 'base64')) });
add('md5', { value: hmac(plain, json, 'md5') });
add('header-form', { value: `SHA2-256(stdin)= ${hex}` });
add('no-digest', { value: '[object Promise]' });
add('no-digest', { value: '[B@1b6d3586' });
add('another-header', { header: 'X-Digest', value: hex });

// Keys.
key('secret-hashed', 'plain', createHash('sha256').update(plain).digest());
key('secret-hashed', 'plain', createHash('sha256').update(plain).digest('hex'));
key('secret-base64-decoded', 'phrase', Buffer.from('a pass phrase, with blanks and more!', 'base64'));
add('key-and-message-swapped', { value: hmac(json, plain) });

// Frames of other senders, each time in the header that they use.
const of = (variant, header, value, headers = {}, body = json) => add(variant, { header, value, headers, body });
of('another-header', 'X-Slack-Signature', `v0=${hmac(plain, `v0:${now}:${json}`)}`, { 'X-Slack-Request-Timestamp': now });
of('another-header', 'x-zm-signature', `v0=${hmac(plain, `v0:${now}:${json}`)}`, { 'x-zm-request-timestamp': now });
of('timestamp-body+another-header+base64-digest', 'X-Zendesk-Webhook-Signature', hmac(plain, now + json, 'sha256', 'base64'), { 'X-Zendesk-Webhook-Signature-Timestamp': now });
of('timestamp-body+another-header+prefix-other', 'Paddle-Signature', `ts=${now};h1=${hmac(plain, `${now}:${json}`)}`);
of('timestamp-body+another-header+prefix-other', 'Calendly-Webhook-Signature', `t=${now},v1=${hmac(plain, `${now}.${json}`)}`);
of('timestamp-body+another-header+prefix-other', 'WorkOS-Signature', `t=${now}, v1=${hmac(plain, `${now}.${json}`)}`);
content('body-timestamp', json + now, json, stamped);
content('nonce-timestamp-body', `n-1${now}${json}`, json, { ...stamped, 'X-Nonce': 'n-1' });
content('id-body', `${id}.${json}`, json, { 'webhook-id': id });
of('path-body+another-header+base64-digest', 'X-HubSpot-Signature-v3', hmac(plain, `POSThttps://hooks.example/webhook/plain${json}${now}`, 'sha256', 'base64'), { 'X-HubSpot-Request-Timestamp': now, 'X-Forwarded-Host': 'hooks.example' });
of('url-fields+another-header+base64-digest+sha1', 'X-Twilio-Signature', hmac(plain, 'https://hooks.example/webhook/plainBodyhelloFrom+49', 'sha1', 'base64'), { 'X-Forwarded-Host': 'hooks.example', 'Content-Type': 'application/x-www-form-urlencoded' }, 'From=%2B49&Body=hello');
const shifted = (by) => standard(standardKey, `${id}.${Number(now) + by}.${json}`);
add('timestamp-other', shifted(7200));
add('timestamp-other', shifted(-19800));
add('timestamp-other', standard(standardKey, `${id}.${now}123.${json}`));

// The body in other forms.
content('member-alone', JSON.stringify({ a: [1] }), '{"id":"e9","data":{"a": [1]}}');
content('member-alone', '{"a": [1]}', '{"id":"e9","data":{"a": [1]}}');
const file = '{\n  "id": "e1",\n  "a": [\n    1\n  ]\n}\n';
const joined = file.replaceAll('\n', '');
const curled = { 'User-Agent': 'curl/7.88.1', 'Content-Type': 'application/x-www-form-urlencoded' };
content('curl-line-breaks', file, joined, curled);
content('curl-line-breaks', file.replaceAll('\n', '\r\n'), joined, curled);
content('curl-line-breaks', file.replaceAll('  ', '\t'), joined.replaceAll('  ', '\t'), curled);
content('curl-line-breaks', '{\n  "id": "e1", "x": [1, 2],\n  "a": 5\n}\n', '{  "id": "e1", "x": [1, 2],  "a": 5}', curled);
content('text-constant', '[object Object]');
content('text-buffer', JSON.stringify(Buffer.from(json)));
content('text-percent', encodeURIComponent(json));
content('text-python-bytes', `b'${json.replaceAll('\\', '\\\\')}'`);
add('text-python-bytes', standard(standardKey, `${id}.${now}.b'${json.replaceAll('\\', '\\\\')}'`));
content('other-charset', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0x80, 0x22, 0x7d]), '{"a":"€"}');
content('other-charset', Buffer.from('{"a":"é"}', 'utf16le'), '{"a":"é"}');
content('other-charset', '{"a":""}', '{"a":"é"}');
content('other-charset', Buffer.from([...'{"a":"€"}'].map((letter) => letter.charCodeAt(0) & 255)), '{"a":"€"}');
content('json-sorted', JSON.stringify({ b: 1, 10: 1, 9: 2 }), '{"b":1,"10":1,"9":2}');
content('json-stringify', JSON.stringify({ b: 1, 10: 1, 9: 2 }, null, 2), '{"b":1,"10":1,"9":2}');
// A relay that wrote the JSON again, as smee does.
const smee = { timestamp: '1795874206123', 'accept-language': '*', 'sec-fetch-mode': 'cors' };
content('relay', '{"a":25.0}', '{"a":25}', smee);
content('relay', '{"a": [1, 2]}', '{"a":[1,2]}', smee);

// What covers an id or a time that is missing, or is another one than in the headers.
const bare = (headers, signed) => ({ source: 'standard', header: 'webhook-signature', headers, value: `v1,${hmac(standardKey, signed, 'sha256', 'base64')}` });
add('header-missing', bare({ 'webhook-timestamp': now }, `.${now}.${json}`));
add('header-missing', bare({ 'webhook-id': id }, `${id}.${now}.${json}`));
add('parts-other', bare({ 'webhook-timestamp': now }, `e1.${now}.${json}`));
add('parts-other', bare({ 'webhook-id': 'another', 'webhook-timestamp': now }, `e1.${now}.${json}`));
add('parts-other', bare({ 'webhook-id': id, 'webhook-timestamp': now, 'X-Request-Id': 'r-1' }, `r-1.${now}.${json}`));
add('timestamp-other', shifted(1));
add('timestamp-other', shifted(-2));
add('two-header-sets', { source: 'standard', header: 'webhook-signature', headers: { 'webhook-id': id, 'svix-timestamp': now }, value: `v1,${rightDigest}` });
add('header-form', rightly(now, (digest) => `v1,AAAA;v1,${digest}`));
add('header-form', rightly(now, (digest) => `V1,${digest}`));
// An array: the header is there once for each value.
for (const headers of [{ 'webhook-id': id, 'webhook-timestamp': [now, now] }, { 'webhook-id': [id, id], 'webhook-timestamp': now }])
  add('several-lines', { source: 'standard', header: 'webhook-signature', headers, value: `v1,${rightDigest}` });
add('no-digest', rightly(now, () => `v1a,${'A'.repeat(86)}==`));
// Signatures that were never made, or lost a part.
for (const value of ['{{signature}}', '${SIGNATURE}', '$SIGNATURE', '%s', 'true', 'NaN', `{"signature":"${hex}"}`, 'Resource id #3', 'eyJhbGciOiJIUzI1NiJ9.e30.abc', 'function () { [native code] }'])
  add('no-digest', { value });
add('no-digest', { value: [...createHmac('sha256', plain).update(json).digest()].join(',') });
add('no-digest', { value: `[${[...new Int8Array(createHmac('sha256', plain).update(json).digest())].join(', ')}]` });
add('signature-cut', { value: hex.slice(0, 32) });
add('signature-cut', { value: hex.slice(0, 63) });
add('signature-cut', { value: `sha256=${hex.slice(0, 40)}` });
add('signature-quoted+prefix-other', { value: `sig="${hex}"` });
add('another-header', { header: 'X-TagoRun-Sig', value: hex });
// What is signed in the place of the body.
content('body-encoded', Buffer.from(json).toString('base64'));
content('body-encoded', Buffer.from(json).toString('hex'));
content('body-digest', createHash('sha256').update(json).digest('base64'));
content('body-digest', createHash('md5').update(json).digest('hex'));
content('blanks-removed', '{"a":"bc","d":1}', '{"a": "b c", "d": 1}');
content('member-alone', 'e1');
content('json-stringify', JSON.stringify({ id: 1, data: { v: 2, id: 3 } }, ['data', 'id']), '{"id":1,"data":{"v":2,"id":3}}');

add(null, { value: hmac('a secret that nobody knows', json) });
add(null, { value: 'ab'.repeat(32) });

console.log(JSON.stringify({ sources, cases }));
