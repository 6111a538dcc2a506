// The rows of a filter: made from the JSON of a subscription, and read back into it. What has no row keeps its text.
import { nodeAt, parse, pointerOf } from "./json_text.js";

const quoted = (value) => JSON.stringify(value);

/** The text of a value in a field: a text without its quotes, where nothing else is written so. */
export function asTyped(raw) {
  if (raw === undefined) return "";
  if (!raw.startsWith('"')) return raw.replace(/\s*\n\s*/g, " ");
  const text = JSON.parse(raw);
  return text === "" || text.trim() !== text || isJson(text) ? raw : text;
}

/** The JSON of what was typed: JSON where it is JSON, else a text. */
export function asJson(typed) {
  const text = typed.trim();
  return isJson(text) ? text : quoted(text);
}

function isJson(text) {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Each condition with the event it is for, and entries that are kept as they are. */
function conditions(text) {
  const entries = nodeAt(parse(text), ["filters"])?.members ?? [];
  const rawOf = (node) => text.slice(node.start, node.end);
  return entries.flatMap((entry) => {
    const inner = entry.value.members ?? [];
    const expression = inner.length === 1 && inner[0].name === "expression" && inner[0].value.kind === "string";
    if (expression) return [{ event: entry.name, expression: JSON.parse(rawOf(inner[0].value)) }];
    const rows = inner.length === 1 && inner[0].name === "conditions" ? inner[0].value.items : undefined;
    const isOurs = (row) => row.members?.every((member) => ["field", "operator", "value"].includes(member.name));
    if (!rows?.every(isOurs)) return [{ event: entry.name, raw: rawOf(entry.value) }];
    return rows.map((row) => {
      const member = (name) => row.members.find((known) => known.name === name)?.value;
      const words = (name) => (member(name)?.kind === "string" ? JSON.parse(rawOf(member(name))) : "");
      return { event: entry.name, field: words("field"), operator: words("operator"), value: member("value") && rawOf(member("value")) };
    });
  });
}

/** Puts a row for each condition of `text` into `rows`; `changed` is told when one is edited. */
export function showConditions(rows, text, events, changed) {
  rows.replaceChildren(...conditions(text).map((row) => conditionRow(row, events, changed)));
  conditionsJson(rows);
}

/** The row of a condition. */
export function conditionRow(row, events, changed) {
  if (row.raw !== undefined) {
    const kept = document.createElement("p");
    kept.className = "sub";
    kept.dataset.event = row.event;
    kept.dataset.raw = row.raw;
    kept.textContent = `The filter of ${row.event} is edited in JSON.`;
    return kept;
  }
  const isExpression = row.expression !== undefined;
  const made = document.getElementById(isExpression ? "expression-template" : "condition-template").content.cloneNode(true).firstElementChild;
  const field = (name) => made.querySelector(`[data-part=${name}]`);
  for (const event of new Set([...events, row.event, "*"])) field("event").append(new Option(event === "*" ? "any event" : event, event));
  field("event").value = row.event;
  if (isExpression) {
    field("expression").value = row.expression;
  } else {
    if (row.operator && ![...field("operator").options].some((option) => option.value === row.operator)) field("operator").append(new Option(row.operator));
    field("field").value = row.field;
    field("operator").value = row.operator || "equals";
    field("value").value = asTyped(row.value);
  }
  made.addEventListener("input", changed);
  field("remove").addEventListener("click", () => {
    made.remove();
    changed();
  });
  return made;
}

/** The JSON of all rows; undefined where there is none. Each row learns its place in it, where its faults are shown. */
export function conditionsJson(rows) {
  const entries = new Map();
  for (const row of rows.children) {
    if (row.dataset.raw !== undefined) {
      entries.set(row.dataset.event, row.dataset.raw);
      continue;
    }
    const value = (name) => row.querySelector(`[data-part=${name}]`)?.value;
    const event = value("event");
    const place = pointerOf(pointerOf("", "filters"), event);
    row.dataset.part = "row";
    row.dataset.at = value("expression") === undefined ? `${place}/conditions/${entries.get(event)?.length ?? 0}` : place;
    if (value("expression") !== undefined) {
      entries.set(event, `{ "expression": ${quoted(value("expression"))} }`);
      continue;
    }
    const typed = value("value");
    const last = typed.trim() === "" ? "" : `, "value": ${asJson(typed)}`;
    const condition = `{ "field": ${quoted(value("field"))}, "operator": ${quoted(value("operator"))}${last} }`;
    const known = entries.get(event);
    entries.set(event, Array.isArray(known) ? [...known, condition] : [condition]);
  }
  const written = [...entries].map(([event, entry]) => {
    const inner = Array.isArray(entry) ? `{ "conditions": [\n    ${entry.join(",\n    ")}\n  ] }` : entry;
    return `  ${quoted(event)}: ${inner}`;
  });
  return written.length ? `{\n${written.join(",\n")}\n}` : undefined;
}
