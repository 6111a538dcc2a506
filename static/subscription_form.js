// The form of a subscription: made from its JSON, and every change is written back into it. The JSON is the only truth.
import { durationJson, shownDuration } from "./durations.js";
import { asJson, asTyped, conditionRow, conditionsJson, showConditions } from "./filter_form.js";
import { NotJson, dedented, get, lineOf, nodeAt, parse, read, remove, set } from "./json_text.js";

const form = document.getElementById("form");
const part = (id) => document.getElementById(id);
const quoted = (value) => JSON.stringify(value);
/** Members that the form has fields for; the others are only in the JSON. */
const SHOWN = ["name", "url", "webhook_url", "events", "event", "sources", "filters", "payload_template", "payload", "missing",
  "signature", "auth", "headers", "retry_policy", "timeout", "rate_limit", "batch", "fallback", "ordered", "enabled"];

/** A form over `json`, a textarea; `changed` is told after each change. */
export class SubscriptionForm {
  constructor(json, changed) {
    this.json = json;
    this.changed = changed;
    /** A template that is no JSON yet: what is typed, and the text around it. */
    this.broken = null;
    this.listen();
  }

  /** The JSON without a template that is no JSON yet, and what is wrong with that. */
  get asked() {
    if (!this.broken) return { text: this.json.value, faults: [] };
    return { text: remove(this.broken.around, [this.templateKey(this.broken.around)]), faults: [{ pointer: "/payload_template", message: this.broken.why }] };
  }

  /** The same for a preview, which needs neither name nor URL yet. */
  get previewed() {
    const { text, faults } = this.asked;
    try {
      const empty = [...form.querySelectorAll("[data-text]")].filter((input) => read(text, [input.dataset.text]) === "");
      return { text: empty.reduce((filled, input) => set(filled, [input.dataset.text], quoted(input.placeholder)), text), faults };
    } catch {
      return { text, faults };
    }
  }

  get text() {
    return this.broken ? this.broken.around : this.json.value;
  }

  templateKey(text) {
    return get(text, ["payload"]) === undefined ? "payload_template" : "payload";
  }

  /** Which of two spellings the JSON uses. */
  key(name, other) {
    return get(this.text, [other]) === undefined ? name : other;
  }

  write(text) {
    if (this.broken) {
      this.broken.around = text;
      this.breakTemplate(this.broken.typed, this.broken.why);
    } else {
      this.json.value = text;
    }
    this.changed();
  }

  put(path, raw) {
    this.write(raw === undefined ? remove(this.text, path) : set(this.text, path, raw));
  }

  /** The text of the JSON with the template as it is typed, although it is no JSON. */
  breakTemplate(typed, why) {
    const key = this.templateKey(this.text);
    const around = get(this.text, [key]) === undefined ? set(this.text, [key], "null") : this.text;
    const node = nodeAt(parse(around), [key]);
    this.broken = { typed, why, around };
    this.json.value = around.slice(0, node.start) + typed + around.slice(node.end);
  }

  /** Fills every field from the JSON; throws where that cannot be read. */
  fill() {
    const text = this.json.value;
    if (parse(text).kind !== "object") throw new NotJson("an object is missing", 0);
    this.broken = null;
    for (const input of form.querySelectorAll("[data-text]")) {
      const key = input.dataset.text === "url" ? this.key("url", "webhook_url") : input.dataset.text;
      const value = read(text, [key]);
      input.value = typeof value === "string" ? value : "";
    }
    for (const input of form.querySelectorAll("[data-raw]")) input.value = asTyped(get(text, input.dataset.raw.split(".")));
    this.fillDurations();
    this.fillEvents();
    this.fillFilters();
    this.fillTemplate();
    this.fillSecurity();
    this.fillHeaders();
    this.fillPace();
    const hidden = parse(text).members.map((member) => member.name).filter((name) => !SHOWN.includes(name));
    part("json-only").hidden = hidden.length === 0;
    part("json-only").textContent = `Also set, in JSON only: ${hidden.join(", ")}.`;
  }

  fillDurations() {
    for (const input of form.querySelectorAll("[data-duration]")) {
      input.value = shownDuration(read(this.text, input.dataset.duration.split(".")), input.dataset.unit);
    }
  }

  events() {
    const value = read(this.text, [this.key("events", "event")]);
    if (typeof value === "string") return [value];
    return Array.isArray(value) ? value.filter((event) => typeof event === "string") : [];
  }

  fillEvents() {
    const chosen = this.events();
    for (const box of part("event-choices").querySelectorAll("input[type=checkbox]")) {
      // A pattern chooses what it matches: that cannot be taken out one by one.
      const isCovered = chosen.some((event) => event !== box.value && event.endsWith("*") && box.value.startsWith(event.slice(0, -1)));
      box.checked = isCovered || chosen.includes(box.value);
      box.disabled = isCovered;
    }
    part("chosen-events").replaceChildren(...chosen.map((event) => {
      const item = document.createElement("li");
      const drop = document.createElement("button");
      item.className = "tag";
      item.textContent = event;
      drop.type = "button";
      drop.textContent = "✕";
      drop.setAttribute("aria-label", `Remove ${event}`);
      drop.addEventListener("click", () => this.chooseEvent(event, false));
      item.append(drop);
      return item;
    }));
    const from = part("from");
    if (!from) return;
    const sources = read(this.text, ["sources"]);
    const listed = Array.isArray(sources) ? sources.join(", ") : "";
    for (const extra of from.querySelectorAll("[data-extra]")) extra.remove();
    if (listed && ![...from.options].some((option) => option.value === listed)) {
      const extra = new Option(listed, listed);
      extra.dataset.extra = "";
      from.append(extra);
    }
    from.value = listed;
  }

  chooseEvent(event, isChosen) {
    const others = this.events().filter((known) => known !== event);
    const all = isChosen ? [...others, event] : others;
    this.put([this.key("events", "event")], `[${all.map(quoted).join(", ")}]`);
    this.fillEvents();
    this.fillFilters();
  }

  fillFilters() {
    showConditions(part("filter-rows"), this.text, this.events(), () => this.writeFilters());
  }

  writeFilters() {
    this.put(["filters"], conditionsJson(part("filter-rows")));
  }

  fillTemplate() {
    const raw = get(this.text, [this.templateKey(this.text)]);
    const has = raw !== undefined && raw !== "null";
    part("payload-kind").value = has ? "template" : "event";
    part("template-part").hidden = !has;
    if (has) part("template").value = dedented(raw);
    part("missing-error").checked = read(this.text, ["missing"]) === "error";
  }

  writeTemplate() {
    const typed = part("template").value;
    try {
      parse(typed);
      const around = this.text;
      this.broken = null;
      this.json.value = set(around, [this.templateKey(around)], typed.trim());
    } catch (fault) {
      this.breakTemplate(typed, `not JSON: ${fault.message} at ${lineOf(typed, fault.at)}`);
    }
    this.changed();
  }

  fillSecurity() {
    const signature = read(this.text, ["signature"]);
    const scheme = typeof signature === "string" ? signature : signature?.scheme ?? "";
    const secrets = signature?.secrets ?? [];
    part("scheme").value = scheme === "tagorun" && secrets.length === 1 && secrets[0] === "file:signing-secret" ? "" : scheme;
    part("secrets").value = secrets.join("\n");
    part("secret-part").hidden = !["tagorun", "standard-webhooks"].includes(part("scheme").value);
    const auth = read(this.text, ["auth"]) ?? {};
    const kind = Object.keys(auth)[0] ?? "";
    part("auth").value = kind;
    this.showAuth(kind);
    for (const input of form.querySelectorAll("[data-auth]")) {
      const value = read(this.text, ["auth", ...input.dataset.auth.split(".")]);
      input.value = typeof value === "string" ? value : "";
    }
  }

  showAuth(kind) {
    for (const known of ["bearer", "basic", "api_key"]) part(`auth-${known}`).hidden = known !== kind;
  }

  writeSignature() {
    const scheme = part("scheme").value;
    part("secret-part").hidden = !["tagorun", "standard-webhooks"].includes(scheme);
    if (scheme === "") return this.put(["signature"], undefined);
    if (scheme === "none") return this.put(["signature"], '{ "scheme": "none" }');
    const secrets = part("secrets").value.split("\n").map((line) => line.trim()).filter((line) => line);
    return this.put(["signature"], `{ "scheme": ${quoted(scheme)}, "secrets": [${secrets.map(quoted).join(", ")}] }`);
  }

  writeAuth() {
    const kind = part("auth").value;
    this.showAuth(kind);
    if (kind === "") return this.put(["auth"], undefined);
    const fields = [...part(`auth-${kind}`).querySelectorAll("[data-auth]")];
    if (kind === "bearer") return this.put(["auth"], `{ "bearer": ${quoted(fields[0].value)} }`);
    const isLeftOut = (name, value) => value === "" && ["header", "secret", "secret_header"].includes(name);
    const members = fields.map((input) => [input.dataset.auth.split(".")[1], input.value]).filter(([name, value]) => !isLeftOut(name, value));
    const written = members.map(([name, value]) => `${quoted(name)}: ${quoted(value)}`);
    return this.put(["auth"], `{ ${quoted(kind)}: { ${written.join(", ")} } }`);
  }

  fillHeaders() {
    const members = nodeAt(parse(this.text), ["headers"])?.members ?? [];
    const value = (node) => (node.kind === "string" ? JSON.parse(this.text.slice(node.start, node.end)) : this.text.slice(node.start, node.end));
    part("header-rows").replaceChildren(...members.map((member) => this.headerRow(member.name, value(member.value))));
  }

  headerRow(name, value) {
    const made = part("header-template").content.cloneNode(true).firstElementChild;
    const field = (known) => made.querySelector(`[data-part=${known}]`);
    field("name").value = name;
    field("value").value = value;
    made.addEventListener("input", () => this.writeHeaders());
    field("remove").addEventListener("click", () => {
      made.remove();
      this.writeHeaders();
    });
    return made;
  }

  writeHeaders() {
    const lines = new Map();
    for (const row of part("header-rows").children) {
      const name = row.querySelector("[data-part=name]").value.trim();
      if (name) lines.set(name, row.querySelector("[data-part=value]").value);
    }
    const written = [...lines].map(([name, value]) => `  ${quoted(name)}: ${quoted(value)}`);
    this.put(["headers"], written.length ? `{\n${written.join(",\n")}\n}` : undefined);
  }

  fillPace() {
    const policy = read(this.text, ["retry_policy"]);
    const kind = policy ? policy.backoff ?? (policy.delays || policy.schedule ? "schedule" : "exponential") : "";
    // The default comes back written out: it is shown as what it is.
    const isDefault = kind === "schedule" && quoted(policy.delays) === "[5,300,1800,7200,18000,36000,36000]" && policy.max_attempts === 8;
    part("backoff").value = isDefault ? "" : kind;
    const delays = policy?.delays ?? policy?.schedule;
    part("delays").value = Array.isArray(delays) ? delays.map((delay) => shownDuration(delay, "s")).join(", ") : "";
    this.showPace();
    part("fallback").value = this.fallbackId();
    part("ordered").checked = read(this.text, ["ordered"]) === true;
  }

  /** The fallback by its id, although the JSON may name it. */
  fallbackId() {
    const named = read(this.text, ["fallback"]) ?? "";
    const options = [...part("fallback").options];
    if (named && !options.some((option) => [option.value, option.text].includes(named))) part("fallback").append(new Option(named));
    return [...part("fallback").options].find((option) => [option.value, option.text].includes(named))?.value ?? "";
  }

  showPace() {
    const kind = part("backoff").value;
    part("retry-part").hidden = kind === "";
    for (const field of form.querySelectorAll("[data-for-backoff]")) field.hidden = (kind === "schedule") !== (field.dataset.forBackoff === "delays");
  }

  writeBackoff() {
    const kind = part("backoff").value;
    this.showPace();
    if (kind === "") return this.put(["retry_policy"], undefined);
    const attempts = get(this.text, ["retry_policy", "max_attempts"]);
    const delays = kind === "schedule" ? `, "delays": [${this.delays().join(", ")}]` : "";
    this.put(["retry_policy"], `{ "backoff": ${quoted(kind)}${attempts && kind !== "schedule" ? `, "max_attempts": ${attempts}` : ""}${delays} }`);
    for (const input of form.querySelectorAll("[data-raw^=retry_policy]")) input.value = asTyped(get(this.text, input.dataset.raw.split(".")));
    this.fillDurations();
    return undefined;
  }

  delays() {
    const typed = part("delays").value.split(",").map((delay) => delay.trim()).filter((delay) => delay);
    return (typed.length ? typed : ["5s", "5m", "30m"]).map((delay) => durationJson(delay, "s"));
  }

  listen() {
    const on = (id, kind, act) => part(id)?.addEventListener(kind, act);
    for (const input of form.querySelectorAll("[data-text]")) {
      input.addEventListener("input", () => {
        const key = input.dataset.text === "url" ? this.key("url", "webhook_url") : input.dataset.text;
        this.put([key], quoted(input.value));
      });
    }
    for (const input of form.querySelectorAll("[data-raw]")) {
      input.addEventListener("input", () => this.put(input.dataset.raw.split("."), input.value.trim() === "" ? undefined : asJson(input.value)));
    }
    for (const input of form.querySelectorAll("[data-duration]")) {
      const path = input.dataset.duration.split(".");
      input.addEventListener("input", () => this.put(path, input.value.trim() === "" ? undefined : durationJson(input.value, input.dataset.unit)));
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    on("event-choices", "change", (event) => this.chooseEvent(event.target.value, event.target.checked));
    on("event-add", "click", () => {
      const other = part("event-other");
      if (other.value.trim()) this.chooseEvent(other.value.trim(), true);
      other.value = "";
    });
    on("event-other", "keydown", (event) => event.key === "Enter" && part("event-add").click());
    on("event-search", "input", () => this.searchEvents());
    on("from", "change", () => {
      const chosen = part("from").value;
      this.put(["sources"], chosen ? `[${chosen.split(", ").map(quoted).join(", ")}]` : undefined);
    });
    on("filter-add", "click", () => {
      const [first, ...more] = this.events();
      const row = { event: first && more.length === 0 ? first : "*", field: "", operator: "equals" };
      part("filter-rows").append(conditionRow(row, this.events(), () => this.writeFilters()));
      part("filter-rows").lastElementChild.querySelector("[data-part=field]").focus();
    });
    on("header-add", "click", () => {
      part("header-rows").append(this.headerRow("", ""));
      part("header-rows").lastElementChild.querySelector("input").focus();
    });
    on("payload-kind", "change", () => {
      if (part("payload-kind").value === "template") {
        part("template").value ||= '{\n  "text": "{{event.type}}"\n}';
        part("template-part").hidden = false;
        this.writeTemplate();
      } else {
        const { text } = this;
        this.broken = null;
        this.json.value = text;
        part("template-part").hidden = true;
        this.put([this.templateKey(this.text)], undefined);
      }
    });
    on("template", "input", () => this.writeTemplate());
    on("missing-error", "change", () => this.put(["missing"], part("missing-error").checked ? '"error"' : undefined));
    on("scheme", "change", () => this.writeSignature());
    on("secrets", "input", () => this.writeSignature());
    on("auth", "change", () => this.writeAuth());
    for (const input of form.querySelectorAll("[data-auth]")) input.addEventListener("input", () => this.writeAuth());
    on("backoff", "change", () => this.writeBackoff());
    on("delays", "input", () => this.put(["retry_policy", "delays"], `[${this.delays().join(", ")}]`));
    on("fallback", "change", () => this.put(["fallback"], part("fallback").value ? quoted(part("fallback").value) : undefined));
    on("ordered", "change", () => this.put(["ordered"], part("ordered").checked ? "true" : undefined));
  }

  searchEvents() {
    const wanted = part("event-search").value.trim().toLowerCase();
    for (const choice of part("event-choices").querySelectorAll(".check")) choice.hidden = !choice.textContent.toLowerCase().includes(wanted);
  }

  /** Shows the places of an event that a template can take; one that is clicked is inserted where the cursor is. */
  showPlaces(places) {
    const wanted = part("place-search").value.trim().toLowerCase();
    const fitting = places.filter((place) => `${place.path} ${place.value}`.toLowerCase().includes(wanted));
    part("places").replaceChildren(...fitting.map((place) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const value = document.createElement("span");
      button.type = "button";
      button.textContent = place.path;
      value.className = "dim mono";
      value.textContent = place.value;
      button.addEventListener("click", () => this.insert(place.path));
      item.append(button, value);
      return item;
    }));
    part("place-list").replaceChildren(...places.map((place) => new Option(place.value, place.path)));
  }

  insert(path) {
    const field = part("template");
    // Inside JSON a backslash is written twice.
    field.setRangeText(`{{${path.replaceAll("\\", "\\\\")}}}`, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    this.writeTemplate();
  }
}
