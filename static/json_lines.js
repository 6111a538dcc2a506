// JSON on many lines, every token as it is written; places that belong together carry the same number.
import { parse, pointerOf } from "./json_text.js";

function piece(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

/** The nodes that show `text`; `marks` is a map from JSON pointers to numbers. A text that is no JSON is shown as it is. */
export function jsonLines(text, marks) {
  let root;
  try {
    root = parse(text);
  } catch {
    return [document.createTextNode(text)];
  }
  const out = [];
  const say = (words) => out.push(document.createTextNode(words));
  function value(node, pointer, indent) {
    const numbers = marks.get(pointer);
    const begin = out.length;
    if (node.kind === "object" || node.kind === "array") inside(node, pointer, indent);
    else out.push(piece(node.kind === "string" ? "string" : "number", text.slice(node.start, node.end)));
    if (!numbers) return;
    const mark = document.createElement("mark");
    mark.append(...out.splice(begin));
    for (const number of numbers) mark.append(piece("place-number", number));
    out.push(mark);
  }
  function inside(node, pointer, indent) {
    const [open, close] = node.kind === "object" ? "{}" : "[]";
    const children = node.members ?? node.items;
    if (children.length === 0) return say(open + close);
    say(open);
    children.forEach((child, at) => {
      say(`\n${indent}  `);
      if (node.members) {
        out.push(piece("key", JSON.stringify(child.name)));
        say(": ");
      }
      value(node.members ? child.value : child, pointerOf(pointer, node.members ? child.name : at), `${indent}  `);
      if (at < children.length - 1) say(",");
    });
    return say(`\n${indent}${close}`);
  }
  value(root, "", "");
  return out;
}

/** For event and payload: which pointers carry which numbers. */
export function marksOf(placed) {
  const event = new Map();
  const payload = new Map();
  const add = (map, pointer, number) => map.set(pointer, [...(map.get(pointer) ?? []), number]);
  const numbers = new Map();
  for (const one of placed) {
    for (const pointer of one.event) {
      // One place has one number, however often it is taken.
      if (!numbers.has(pointer)) {
        numbers.set(pointer, String(numbers.size + 1));
        add(event, pointer, numbers.get(pointer));
      }
      if (!(payload.get(one.payload) ?? []).includes(numbers.get(pointer))) add(payload, one.payload, numbers.get(pointer));
    }
  }
  return { event, payload };
}
