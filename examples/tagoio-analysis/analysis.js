// A TagoIO Analysis that posts what triggered it to tagohook as a signed event. Nothing but the SDK and Node's own modules is needed.
//
// Environment variables of the Analysis (TagoIO > Analysis > Environment Variables):
//   TAGOHOOK_URL     https://YOUR-ADDRESS/webhook/tagorun
//   TAGOHOOK_SECRET  the signing secret: the content of tagohook-data/signing-secret
//   TAGOHOOK_EVENT   the event, as user.registration. Without it: data.received for data, user.registration for a user
//
// Let an Action run it: "Run Analysis" on a variable, a user created, or a schedule.
const { Analysis } = require('@tago-io/sdk');
const { createHash, createHmac } = require('node:crypto');

const ATTEMPTS = 4;
const TIMEOUT_MS = 10_000;

/** The variables of the Analysis by their names. */
function settings(environment) {
  const all = Object.fromEntries((environment ?? []).map(({ key, value }) => [key, String(value).trim()]));
  const missing = ['TAGOHOOK_URL', 'TAGOHOOK_SECRET'].filter((name) => !all[name]);
  if (missing.length > 0) throw new Error(`Add the environment variable ${missing.join(' and ')} to this Analysis.`);
  return all;
}

/** Equal content has an equal id: an Analysis that runs twice for the same data makes one event. */
const idOf = (kind, parts) => `${kind}-${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)}`;

/** The event that tells of `scope`: what TagoIO hands to the Analysis. */
function envelope(scope, wanted) {
  const items = Array.isArray(scope) ? scope : [scope].filter(Boolean);
  const timestamp = new Date().toISOString();
  const points = items.filter((item) => item && typeof item.variable === 'string');
  if (points.length > 0) {
    const times = points.map((point) => Date.parse(point.time)).filter(Number.isFinite);
    const first = points[0];
    const device = first.device ?? first.origin ?? 'unknown';
    return {
      id: idOf('data', [wanted || 'data.received', ...points.map((point) => point.id ?? JSON.stringify(point))]),
      event: wanted || 'data.received',
      timestamp: times.length > 0 ? new Date(Math.max(...times)).toISOString() : timestamp,
      // Points do not have the name of their device.
      device: { id: device, name: device },
      data: { variables: points, ...(points.length === 1 && { variable: first.variable, value: first.value }) },
    };
  }
  const [user] = items;
  if (user && (user.email || user.name)) {
    const { id, name, email, company, created_at: createdAt } = user;
    return {
      id: idOf('user', [wanted || 'user.registration', String(id ?? email)]),
      event: wanted || 'user.registration',
      timestamp: createdAt ? new Date(createdAt).toISOString() : timestamp,
      user: { id, name, email, company },
    };
  }
  // A schedule, or a run by hand.
  if (!wanted) throw new Error('Nothing triggered this run. Add the environment variable TAGOHOOK_EVENT to name the event.');
  return { id: idOf('run', [wanted, timestamp]), event: wanted, timestamp, data: { scope: items } };
}

/** Posts the event until it is answered. Its bytes and its signature stay the same, so a repeat is recognised. */
async function deliver(url, secret, event, log) {
  const body = JSON.stringify(event);
  const headers = {
    'Content-Type': 'application/json',
    'X-TagoRUN-Signature': createHmac('sha256', secret).update(body).digest('hex'),
  };
  for (let attempt = 1; ; attempt += 1) {
    let answer;
    try {
      answer = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      if (attempt === ATTEMPTS) throw new Error(`${url} does not answer: ${error.cause?.message ?? error.message}`);
    }
    const text = answer ? await answer.text() : '';
    if (answer?.ok) return log(`${event.event} ${event.id}: ${JSON.parse(text).status}`);
    // 408, 429 and 5xx pass; the sender has to change for any other.
    const isFinal = answer && answer.status < 500 && ![408, 429].includes(answer.status);
    if (answer && (isFinal || attempt === ATTEMPTS)) throw new Error(`${url} answered ${answer.status}: ${text}`);
    const wanted = Number(answer?.headers.get('retry-after')) * 1000;
    await new Promise((done) => setTimeout(done, wanted > 0 ? Math.min(wanted, 10_000) : 500 * 2 ** attempt));
  }
}

async function run(context, scope) {
  try {
    const { TAGOHOOK_URL: url, TAGOHOOK_SECRET: secret, TAGOHOOK_EVENT: wanted } = settings(context.environment);
    await deliver(url, secret, envelope(scope, wanted), context.log);
  } catch (error) {
    context.log(`Not delivered: ${error.message}`);
    // TagoIO marks the run as failed.
    process.exitCode = 1;
  }
}

module.exports = new Analysis(run, { token: process.env.ANALYSIS_TOKEN ?? 'unknown' });
