// Writes each payload of standard input as JavaScript does: a line "NAME<TAB>NUMBER<TAB>BASE64" each.
import { readFileSync } from 'node:fs';

const sorted = (value) =>
  Array.isArray(value) ? value.map(sorted)
    : value && typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
      : value;
// RFC 8785: keys by UTF-16 units, also those that look like integers.
const canonical = (value) =>
  Array.isArray(value) ? `[${value.map(canonical).join(',')}]`
    : value && typeof value === 'object' ? `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
      : JSON.stringify(value);
const writers = {
  'JSON.stringify': (value) => JSON.stringify(value),
  'JSON.stringify 2': (value) => JSON.stringify(value, null, 2),
  'JSON.stringify 4': (value) => JSON.stringify(value, null, 4),
  'JSON.stringify tab': (value) => JSON.stringify(value, null, '\t'),
  'JSON.stringify line': (value) => `${JSON.stringify(value)}\n`,
  'JSON.stringify 2 line': (value) => `${JSON.stringify(value, null, 2)}\n`,
  'JSON.stringify sorted': (value) => JSON.stringify(sorted(value)),
  'JCS': canonical,
  'String(object)': (value) => String(value),
};
readFileSync(0, 'utf8').split('\n').slice(0, -1).forEach((line, number) => {
  for (const [name, write] of Object.entries(writers)) {
    console.log(`js ${name}\t${number}\t${Buffer.from(write(JSON.parse(line))).toString('base64')}`);
  }
});
