// Some deliveries of the list are chosen, and only those are exported.
"use strict";

(() => {
  const MOST = 200;
  const button = document.getElementById("choose");
  const what = document.getElementById("export-what");
  const rows = document.getElementById("rows");
  if (!button || !rows) return;
  const links = [...document.querySelectorAll("#export a[download]")].map((link) => [link, link.href]);
  const chosen = new Set();
  let isChoosing = false;

  function say() {
    button.setAttribute("aria-pressed", String(isChoosing));
    what.textContent = chosen.size === 0 ? "Export all of it as" : `Export ${chosen.size} chosen as`;
    for (const [link, all] of links) {
      const url = new URL(all);
      if (chosen.size > 0) {
        url.search = new URLSearchParams({ as: url.searchParams.get("as"), ids: [...chosen].join(",") }).toString();
      }
      link.href = url;
    }
  }

  function offer(row) {
    if (row.querySelector(".pick-row")) return;
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "pick-row";
    box.checked = chosen.has(row.dataset.id);
    box.setAttribute("aria-label", `Choose the delivery of ${row.querySelector("time")?.textContent ?? ""}`);
    box.addEventListener("change", () => {
      if (!box.checked) chosen.delete(row.dataset.id);
      else if (chosen.size < MOST) chosen.add(row.dataset.id);
      else box.checked = false;
      say();
    });
    row.querySelector(".c-verdict").prepend(box);
  }

  function turn() {
    isChoosing = !isChoosing;
    if (isChoosing) {
      [...rows.children].forEach(offer);
    } else {
      chosen.clear();
      for (const box of rows.querySelectorAll(".pick-row")) box.remove();
    }
    say();
  }

  new MutationObserver(() => { if (isChoosing) [...rows.children].forEach(offer); }).observe(rows, { childList: true });
  button.hidden = false;
  button.addEventListener("click", turn);
})();
