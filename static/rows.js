// Rows are read again: why a delivery was refused or repeated is found out after it was stored.
import { at } from "./app.js";

const rows = document.getElementById("rows");

/** Reads the rows of these deliveries again, and returns the ids of those whose cause is still unknown. */
export async function readAgain(ids) {
  const answer = await fetch(at(`/deliveries/rows?ids=${ids.join(",")}`)).catch(() => null);
  if (!answer?.ok) return ids;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = [...page.querySelectorAll("tr[data-id]")];
  for (const row of found) {
    const old = rows.querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`);
    old?.toggleAttribute("data-unnamed", "unnamed" in row.dataset);
    for (const part of [".c-event", ".c-entity"]) {
      const [was, is] = [old?.querySelector(part), row.querySelector(part)];
      if (was && was.innerHTML !== is.innerHTML) was.replaceChildren(...is.childNodes);
    }
  }
  return found.filter((row) => "unnamed" in row.dataset).map((row) => row.dataset.id);
}
