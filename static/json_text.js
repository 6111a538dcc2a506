// JSON as text: values are read, replaced and removed in place, so that every other letter and every digit stays.

/** What is wrong with a text that is no JSON, and where. */
export class NotJson extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

const TOKEN = /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

/** The tree of a text: each node with its kind and where it begins and ends. */
export function parse(text) {
  let place = 0;
  function next() {
    TOKEN.lastIndex = place;
    const found = TOKEN.exec(text);
    if (!found) throw new NotJson(text.slice(place).trim() === "" ? "it ends too early" : "a value or sign is not JSON here", place + text.slice(place).search(/\S|$/));
    place = TOKEN.lastIndex;
    const token = found[1] ?? found[2] ?? found[3];
    return { token, start: place - token.length, end: place, kind: found[1] ? "sign" : found[2] ? "string" : "word" };
  }
  function peek() {
    const before = place;
    const found = next();
    place = before;
    return found;
  }
  function fail(found, message) {
    throw new NotJson(message, found.start);
  }
  function value() {
    const first = next();
    if (first.kind !== "sign") return { kind: first.kind, start: first.start, end: first.end };
    if (first.token === "{") return object(first);
    if (first.token === "[") return array(first);
    return fail(first, "a value is missing");
  }
  function object(first) {
    const members = [];
    if (peek().token === "}") return { kind: "object", start: first.start, end: next().end, members };
    for (;;) {
      const key = next();
      if (key.kind !== "string") fail(key, "a name in quotes is missing");
      const colon = next();
      if (colon.token !== ":") fail(colon, "a colon is missing");
      const name = JSON.parse(key.token);
      if (members.some((known) => known.name === name)) fail(key, `${name} is there twice`);
      members.push({ name, start: key.start, value: value() });
      const after = next();
      if (after.token === "}") return { kind: "object", start: first.start, end: after.end, members };
      if (after.token !== ",") fail(after, "a comma is missing");
    }
  }
  function array(first) {
    const items = [];
    if (peek().token === "]") return { kind: "array", start: first.start, end: next().end, items };
    for (;;) {
      items.push(value());
      const after = next();
      if (after.token === "]") return { kind: "array", start: first.start, end: after.end, items };
      if (after.token !== ",") fail(after, "a comma is missing");
    }
  }
  const root = value();
  const rest = text.slice(place).search(/\S/);
  if (rest >= 0) throw new NotJson("something follows the value", place + rest);
  return root;
}

/** The JSON pointer of a name or position below another pointer. */
export const pointerOf = (pointer, name) => `${pointer}/${String(name).replace(/~/g, "~0").replace(/\//g, "~1")}`;

/** The node at a path of names and positions; undefined where there is none. */
export function nodeAt(root, path) {
  let node = root;
  for (const name of path) {
    node = node?.kind === "object" ? node.members.find((member) => member.name === name)?.value : node?.items?.[name];
  }
  return node;
}

/** The text of the value at a path; undefined where there is none. */
export function get(text, path) {
  const node = nodeAt(parse(text), path);
  return node && text.slice(node.start, node.end);
}

/** The value at a path, for texts and flags; numbers should be read as text. */
export function read(text, path) {
  const raw = get(text, path);
  return raw === undefined ? undefined : JSON.parse(raw);
}

const indentBefore = (text, at) => /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1, at))[0];

/** A value on several lines, moved to the right by `indent`. Line breaks are never inside a text of JSON. */
export const indented = (raw, indent) => raw.split("\n").join(`\n${indent}`);

/** The same moved back to the left. */
export function dedented(raw) {
  const [first, ...lines] = raw.split("\n");
  const margin = Math.min(...lines.filter((line) => line.trim()).map((line) => /^ */.exec(line)[0].length));
  return [first, ...lines.map((line) => line.slice(Number.isFinite(margin) ? margin : 0))].join("\n");
}

/** `text` with the value at a path of names set to the JSON `raw`; objects on the way are made. */
export function set(text, path, raw) {
  const root = parse(text);
  let object = root;
  let depth = 0;
  for (; depth < path.length; depth += 1) {
    const member = object.members?.find((known) => known.name === path[depth]);
    if (!member) break;
    const isLast = depth === path.length - 1;
    if (isLast || member.value.kind !== "object") {
      const value = wrapped(path.slice(depth + 1), raw);
      const indent = indentBefore(text, member.start);
      return text.slice(0, member.value.start) + indented(value, indent) + text.slice(member.value.end);
    }
    object = member.value;
  }
  const member = `${JSON.stringify(path[depth])}: ${wrapped(path.slice(depth + 1), raw)}`;
  const last = object.members.at(-1);
  if (last) {
    const isOnLines = text.slice(object.start, last.start).includes("\n");
    const indent = indentBefore(text, last.start);
    const gap = isOnLines ? `,\n${indent}` : ", ";
    return text.slice(0, last.value.end) + gap + indented(member, isOnLines ? indent : "") + text.slice(last.value.end);
  }
  const outer = indentBefore(text, object.start);
  return `${text.slice(0, object.start)}{\n${outer}  ${indented(member, `${outer}  `)}\n${outer}}${text.slice(object.end)}`;
}

const wrapped = (names, raw) => names.reduceRight((inner, name) => `{\n  ${JSON.stringify(name)}: ${indented(inner, "  ")}\n}`, raw);

/** `text` without the value at a path of names; an object that is empty then goes too. */
export function remove(text, path) {
  const root = parse(text);
  const parent = nodeAt(root, path.slice(0, -1));
  const at = parent?.members?.findIndex((member) => member.name === path.at(-1)) ?? -1;
  if (at < 0) return text;
  if (parent.members.length === 1) {
    if (path.length > 1) return remove(text, path.slice(0, -1));
    return `${text.slice(0, parent.start)}{}${text.slice(parent.end)}`;
  }
  const isFirst = at === 0;
  const start = isFirst ? parent.members[0].start : parent.members[at - 1].value.end;
  const end = isFirst ? parent.members[1].start : parent.members[at].value.end;
  return text.slice(0, start) + text.slice(end);
}

/** The line and column of a position, counted from 1. */
export function lineOf(text, at) {
  const before = text.slice(0, at).split("\n");
  return `line ${before.length}, column ${before.at(-1).length + 1}`;
}
