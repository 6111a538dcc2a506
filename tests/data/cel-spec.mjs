// The specification's own tests of CEL as lines of JSON, for src/send/language/expression/conformance.rs. A value is a pair of its
// type and its text or parts. Tests of protobuf messages are counted and left out.
import { createRequire } from 'node:module';

const { tests } = createRequire(import.meta.url)('@bufbuild/cel-spec/testdata/conformance.js');

const messages = /TestAllTypes|objectValue|GlobalEnum|cel\.expr\.conformance/;

function value(typed) {
  const [[kind, content]] = Object.entries(typed);
  if (kind === 'listValue') return ['list', (content.values ?? []).map(value)];
  if (kind === 'mapValue') return ['map', (content.entries ?? []).map((entry) => [value(entry.key), value(entry.value)])];
  return [kind.replace('Value', ''), String(content)];
}

function list(suite, group) {
  for (const inner of suite.suites ?? []) list(inner, group ?? inner.name);
  for (const { original: test } of suite.tests ?? []) {
    if (test.checkOnly) continue;
    const expected = test.value ?? test.typedResult?.result ?? (test.evalError ? undefined : { boolValue: true });
    const bindings = Object.entries(test.bindings ?? {}).map(([name, bound]) => [name, value(bound.value)]);
    const line = messages.test(JSON.stringify(test))
      ? { group, name: test.name, messages: true }
      : { group, name: test.name, expr: test.expr, bindings, expected: expected ? value(expected) : null };
    console.log(JSON.stringify(line));
  }
}

list(tests);
