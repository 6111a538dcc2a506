// A page about something that goes on is fetched again until it is over. Without it, "Look again" is a link.

import { wire } from "./app.js";

(() => {
  const PAUSE = 700;
  async function again() {
    const here = document.getElementById("progress");
    if (!here || !("running" in here.dataset)) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const there = page.getElementById("progress");
      if (!answer.ok || !there) { location.reload(); return; }
      here.replaceWith(document.adoptNode(there));
      wire(there);
    } catch {
      const said = here.querySelector("[role=status]");
      if (said) said.textContent = "The inspector does not answer; trying again…";
    }
    setTimeout(again, PAUSE);
  }
  setTimeout(again, PAUSE);
})();
