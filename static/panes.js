// On a wide screen a delivery opens beside the list. Its page is the server's own; without this, the list's links lead to it.
import { at, kept, wire } from "./app.js";
import { readAgain } from "./rows.js";
import { wireTree } from "./tree.js";

(() => {
  const panes = document.getElementById("panes");
  const detail = document.getElementById("detail");
  const split = document.getElementById("split");
  const rows = document.getElementById("rows");
  const list = document.getElementById("list");
  const head = document.getElementById("pane-head");
  if (!panes || !head) return;
  const WIDE = matchMedia("(min-width: 1000px)");
  const FOLLOW_PAUSE = 1000;
  let chosen = null;
  let asked = 0;
  let follows = false;

  const pageOf = (id, view = "") => at(`/deliveries/${encodeURIComponent(id)}${view}`);
  const rowOf = (id) => rows.querySelector(`tr[data-id="${CSS.escape(id)}"]`);

  function mark() {
    for (const row of rows.querySelectorAll("tr[aria-current]")) row.removeAttribute("aria-current");
    const row = chosen && rowOf(chosen);
    row?.setAttribute("aria-current", "true");
    return row;
  }

  function makeHead(id) {
    const made = head.content.firstElementChild.cloneNode(true);
    const collapse = made.querySelector("[data-collapse]");
    const follow = made.querySelector("[data-follow]");
    const say = () => {
      const isHidden = document.body.classList.contains("list-hidden");
      collapse.setAttribute("aria-pressed", String(isHidden));
      collapse.textContent = isHidden ? "Show the list" : "Hide the list";
      follow.setAttribute("aria-pressed", String(follows));
    };
    collapse.addEventListener("click", () => { document.body.classList.toggle("list-hidden"); say(); });
    follow.addEventListener("click", () => { follows = !follows; say(); if (follows) openNewest(); });
    follow.hidden = !document.getElementById("light");
    made.querySelector("[data-alone]").href = pageOf(id);
    made.querySelector("[data-close]").addEventListener("click", close);
    say();
    return made;
  }

  /** Makes a change after which the window or the pane scrolls the list, and keeps the row where it is seen. */
  function inPlace(row, change) {
    const top = row?.getBoundingClientRect().top;
    change();
    if (!row) return;
    const moved = () => row.getBoundingClientRect().top - top;
    list.scrollTop += moved();
    window.scrollBy(0, moved());
    row.scrollIntoView({ block: "nearest" });
  }

  function showDetail() {
    detail.hidden = false;
    split.hidden = false;
    document.body.classList.add("has-detail");
  }

  async function open(id, view = "") {
    if (!WIDE.matches) { location.href = pageOf(id, view); return; }
    const number = ++asked;
    const isOther = id !== chosen;
    const isFirst = !chosen;
    chosen = id;
    mark()?.scrollIntoView({ block: "nearest" });
    let page = null;
    let why = "Connection lost. Select it again to retry.";
    try {
      const answer = await fetch(pageOf(id, view), { headers: { Accept: "text/html" } });
      if (answer.status === 401 || answer.redirected) { location.reload(); return; }
      const text = await answer.text();
      page = new DOMParser().parseFromString(text, "text/html").getElementById("main");
      if (!page) why = `The inspector cannot show this delivery now (${answer.status}).`;
    } catch { /* It is said below. */ }
    if (!page) {
      page = document.createElement("div");
      page.append(why);
    }
    if (number !== asked) return;
    page.querySelector(".crumbs")?.remove();
    detail.replaceChildren(makeHead(id), ...[...page.childNodes].map((node) => document.adoptNode(node)));
    // Back leads from a delivery to the list, however many were looked at between, and the list is as it was left.
    if (location.hash !== `#${id}`) history[isFirst ? "pushState" : "replaceState"](null, "", `${location.pathname}${location.search}#${id}`);
    if (detail.hidden) inPlace(rowOf(id), showDetail);
    wire(detail);
    wireTree(detail);
    // The cause is found out by now, and the row says the same.
    if (rowOf(id)?.dataset.verdict === "rejected") readAgain([id]);
    if (isOther) detail.scrollTop = 0;
    else if (view) detail.querySelector("#body")?.scrollIntoView({ block: "nearest" });
  }

  function close() {
    asked += 1;
    const row = chosen && rowOf(chosen);
    chosen = null;
    follows = false;
    mark();
    inPlace(row, () => {
      detail.hidden = true;
      detail.replaceChildren();
      split.hidden = true;
      document.body.classList.remove("has-detail", "list-hidden");
    });
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    row?.querySelector("a")?.focus({ preventScroll: true });
  }

  function openNewest() {
    const newest = rows.querySelector("tr[data-id]");
    if (newest && newest.dataset.id !== chosen) open(newest.dataset.id);
  }

  rows.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.target.closest(".pick-row") || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (WIDE.matches) {
      event.preventDefault();
      open(row.dataset.id);
    } else if (!event.target.closest("a")) {
      // What is above the link, to say more when it is pointed at, leads where the link does.
      row.querySelector(".c-event a").click();
    }
  });
  detail.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='?']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(chosen, link.getAttribute("href").split("#")[0]);
  });
  detail.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches(".marks")) return;
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok) open(chosen);
    else form.submit();
  });
  document.addEventListener("step", (event) => {
    const now = chosen ? rowOf(chosen) : document.activeElement?.closest?.("#rows tr");
    const all = [...rows.querySelectorAll("tr[data-id]")];
    const next = now ? all[all.indexOf(now) + event.detail] : all[0];
    if (!next) return;
    if (WIDE.matches) open(next.dataset.id);
    else next.querySelector("a").focus();
  });

  let waits = false;
  new MutationObserver(() => {
    mark();
    if (!follows || waits) return;
    waits = true;
    setTimeout(() => { waits = false; if (follows) openNewest(); }, FOLLOW_PAUSE);
  }).observe(rows, { childList: true });

  // The width of the list, in hundredths of the window.
  function resize(share) {
    const now = Math.round(Math.min(50, Math.max(20, share)));
    panes.style.setProperty("--list", `${now}%`);
    split.setAttribute("aria-valuenow", now);
    kept.set("list-width", now);
  }
  resize(Number(kept.get("list-width")) || 38);
  split.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2, Home: -100, End: 100 }[event.key];
    if (!step) return;
    event.preventDefault();
    resize(Number(split.getAttribute("aria-valuenow")) + step);
  });
  split.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    split.focus();
    const drag = new AbortController();
    const move = (moved) => {
      const box = panes.getBoundingClientRect();
      resize((moved.clientX - box.left) / box.width * 100);
    };
    const end = (last) => { move(last); drag.abort(); };
    window.addEventListener("pointermove", move, { signal: drag.signal });
    window.addEventListener("pointerup", end, { signal: drag.signal });
    window.addEventListener("pointercancel", () => drag.abort(), { signal: drag.signal });
  });

  function follow() {
    const asks = /^#([0-9a-f-]{36})$/.exec(location.hash);
    if (asks && asks[1] !== chosen) open(asks[1]);
    else if (!asks && chosen) close();
  }
  window.addEventListener("popstate", follow);
  follow();
})();
