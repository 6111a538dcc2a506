// The count and the histogram follow the live list: they are read again some time after rows came.
import { wireHistogram } from "./histogram.js";

/** The receiver's counts are some seconds old. */
const PAUSE = 6000;
const rows = document.getElementById("rows");
let isWaiting = false;

async function read() {
  isWaiting = false;
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
  setTimeout(() => read().catch(() => { /* The light says that the connection is lost. */ }), PAUSE);
}

if (rows && document.getElementById("survey")) new MutationObserver(soon).observe(rows, { childList: true });
