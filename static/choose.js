// Some deliveries of the list are selected, and whatever is done to the list is done only to those.

(() => {
  const MOST = 200;
  const button = document.getElementById("choose");
  const rows = document.getElementById("rows");
  if (!button || !rows) return;
  const links = [...document.querySelectorAll("#bulk [data-bulk]")].map((link) => [link, link.href]);
  const labels = [...document.querySelectorAll("#bulk [data-some]")].map((label) => [label, label.textContent]);
  const chosen = new Set();
  let isChoosing = false;

  function say() {
    button.setAttribute("aria-pressed", String(isChoosing));
    document.body.classList.toggle("is-selecting", isChoosing);
    const count = chosen.size < MOST ? chosen.size : `${MOST} (the maximum)`;
    for (const [label, all] of labels) {
      label.textContent = isChoosing ? label.dataset.some.replace("#", count) : all;
    }
    for (const [link, all] of links) {
      const url = new URL(all);
      if (isChoosing) {
        const as = url.searchParams.get("as");
        url.search = `${as ? `as=${as}&` : ""}ids=${[...chosen].join(",")}`;
      }
      // While nothing is selected, nothing can be done to the selection.
      if (isChoosing && chosen.size === 0) link.removeAttribute("href");
      else link.href = url;
      link.ariaDisabled = link.hasAttribute("href") ? null : "true";
    }
  }

  function offer(row) {
    if (row.querySelector(".pick-row")) return;
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "pick-row";
    box.checked = chosen.has(row.dataset.id);
    box.setAttribute("aria-label", `Select the delivery of ${row.querySelector("time")?.textContent ?? ""}`);
    box.addEventListener("change", () => {
      if (!box.checked) chosen.delete(row.dataset.id);
      else if (chosen.size < MOST) chosen.add(row.dataset.id);
      else box.checked = false;
      say();
    });
    row.querySelector(".c-verdict").prepend(box);
  }

  const offerAll = () => rows.querySelectorAll("tr[data-id]").forEach(offer);

  function turn() {
    isChoosing = !isChoosing;
    if (isChoosing) {
      offerAll();
    } else {
      chosen.clear();
      for (const box of rows.querySelectorAll(".pick-row")) box.remove();
    }
    say();
  }

  new MutationObserver(() => { if (isChoosing) offerAll(); }).observe(rows, { childList: true });
  button.hidden = false;
  button.addEventListener("click", turn);
})();
