// The count and the histogram follow the live list: they are read again as soon as rows arrive, but not all the time.
import { wireHistogram } from "./histogram.js";

/** Rows that arrive together are counted together. */
const SOON = 250;
const PAUSE = 3000;
const rows = document.getElementById("rows");
let isWaiting = false;
let last = -PAUSE;

async function read() {
  isWaiting = false;
  last = performance.now();
  const survey = document.getElementById("survey");
  const answer = await fetch(new URL(survey.dataset.survey, location.href));
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["survey", "count"]) {
    const now = page.getElementById(id);
    if (now) document.getElementById(id).replaceWith(document.adoptNode(now));
  }
  wireHistogram();
}

function soon(changes) {
  const isNew = changes.some((change) => [...change.addedNodes].some((row) => row.dataset?.id));
  if (!isNew || isWaiting || document.visibilityState === "hidden") return;
  isWaiting = true;
  setTimeout(() => read().catch(() => { /* The light says that the connection is lost. */ }),
    Math.max(SOON, last + PAUSE - performance.now()));
}

if (rows && document.getElementById("survey")) new MutationObserver(soon).observe(rows, { childList: true });
