// The light of "Connect a sender": it turns green with the first delivery that a sender makes. Texts only ever become text.
import { at } from "./app.js";

const light = document.querySelector("[data-arrivals]");
if (light) {
  const words = light.querySelector("[data-words]");
  const stream = new EventSource(new URL(light.dataset.arrivals, location.href));
  stream.addEventListener("delivery", (event) => {
    const { id, event_type: type, verdict } = JSON.parse(event.data);
    if (type === "webhook.test") return;
    const link = document.createElement("a");
    link.href = at(`/deliveries/${encodeURIComponent(id)}`);
    link.textContent = `Delivery received: ${type ?? "without an event name"}, ${verdict}`;
    words.replaceChildren(link);
    light.dataset.state = verdict === "rejected" ? "rejected" : "arrived";
  });
}
