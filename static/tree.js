// The tree of a body: a value that is clicked shows its places, and they are copied or searched for.
import { at, copyText } from "./app.js";

export function wireTree(root) {
  const tree = root.querySelector("#body-tree");
  const bar = root.querySelector("[data-chosen]");
  if (!tree || !bar) return;
  let chosen = null;

  function choose(from) {
    if (chosen) chosen.classList.remove("is-chosen");
    chosen = from;
    chosen.classList.add("is-chosen");
    bar.hidden = false;
    bar.querySelector("[data-pointer]").textContent = from.dataset.pointer || "(the whole)";
    for (const button of bar.querySelectorAll("[data-take]")) button.hidden = !(button.dataset.take in from.dataset);
    const link = bar.querySelector("[data-search]");
    const written = from.dataset.written ?? "";
    let text = written;
    try { if (written.startsWith('"')) text = JSON.parse(written); } catch { /* It is searched for as it is written. */ }
    link.hidden = !text || text.length > 200 || !text.isWellFormed();
    if (!link.hidden) link.href = at(`/?q=${encodeURIComponent(`body:"${text.replace(/["\\]/g, "\\$&")}"`)}`);
  }

  tree.addEventListener("click", (event) => {
    const from = event.target.closest("[data-pointer]");
    if (from) choose(from);
  });
  for (const button of bar.querySelectorAll("[data-take]")) {
    button.addEventListener("click", () => copyText(button, () => chosen.dataset[button.dataset.take]));
  }
}
wireTree(document);
