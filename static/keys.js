// Single keys. An element says by data-key which key is its own: a field is gone into, anything else is clicked.
import { kept } from "./app.js";

(() => {
  const dialog = document.getElementById("keys");
  const opener = document.getElementById("keys-open");
  const isOn = document.getElementById("keys-on");
  if (!dialog || !opener) return;

  isOn.checked = kept.get("keys") !== "off";
  isOn.addEventListener("change", () => kept.set("keys", isOn.checked ? "on" : "off"));
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());

  const isShown = (element) => element.checkVisibility() && !element.closest("[hidden]");
  const isTyping = (element) => element.matches?.("textarea, select, input:not([type=checkbox], [type=radio]), [contenteditable]");

  function press(key) {
    // What stands beside the list comes before what stands in it.
    const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(isShown);
    const target = all.at(-1);
    if (!target) return false;
    if (target.matches("input, textarea, select")) {
      target.focus();
      target.scrollIntoView({ block: "nearest" });
    } else {
      target.click();
    }
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing || dialog.open) return;
    if (event.key === "Escape") {
      if (isTyping(event.target)) event.target.blur();
      else press("Escape");
      return;
    }
    if (!isOn.checked || isTyping(event.target)) return;
    const step = { j: 1, k: -1 }[event.key];
    if (step) {
      document.dispatchEvent(new CustomEvent("step", { detail: step }));
      event.preventDefault();
    } else if ("/lcrn[?1234".includes(event.key) && press(event.key)) {
      event.preventDefault();
    }
  });
})();
