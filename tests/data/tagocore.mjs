// What TagoCore 0.7.0 does to the URL of an Action, with the HTTP client that it uses: for `tests/it/tagocore.rs`.
//   node tagocore.mjs <steps
// A step is {url, headers, points} or {url, headers} for an Action on an interval, which posts nothing. Each is tried up to ten
// times without a pause, as long as the response is not 2xx. Prints the statuses of each step and the milliseconds it took.
import { readFileSync } from 'node:fs';
import axios from 'axios';

const TRIES = 10;

async function post({ url, headers, points }) {
  const statuses = [];
  const began = performance.now();
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const response = await axios.post(url, points, {
      headers: { ...headers, 'TagoIO-Retries': attempt },
      validateStatus: () => true,
    });
    statuses.push(response.status);
    if (response.status >= 200 && response.status < 300) break;
  }
  return { statuses, ms: performance.now() - began };
}

const done = [];
for (const step of JSON.parse(readFileSync(0))) {
  done.push(step.together ? await Promise.all(step.together.map(post)) : await post(step));
}
console.log(JSON.stringify(done));
