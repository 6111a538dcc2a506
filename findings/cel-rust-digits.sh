#!/usr/bin/env bash
# The Rust crate cel 0.15.0: in matches(), \d, \w and \s are Unicode. The CEL specification names RE2, where they are ASCII, and other
# implementations follow it: npm @bufbuild/cel 0.6.1 says false where cel says true. A filter that is moved from one to the
# other then lets device names or serial numbers with Arabic or Devanagari digits through.
#
# Exits 0 while both behave like this, 1 when one of them changed. Needs cargo, node and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir -p crate/src
cat >crate/Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
cel = { version = "=0.15.0", default-features = false, features = ["regex"] }
TOML
cat >crate/src/main.rs <<'RUST'
fn main() {
    let program = cel::Program::compile(r"'٣'.matches('^\\d$')").unwrap();
    println!("{:?}", program.execute(&cel::Context::default()).unwrap());
}
RUST
crate=$(cd crate && cargo run --quiet)

npm install --silent --no-audit --no-fund @bufbuild/cel@0.6.1 >/dev/null
cat >other.mjs <<'JS'
import { run } from "@bufbuild/cel";
console.log(run(String.raw`'٣'.matches('^\\d$')`));
JS
other=$(node other.mjs)

echo "cel 0.15.0:           $crate (seen: Bool(true))"
echo "@bufbuild/cel 0.6.1:  $other (seen: false)"
[ "$crate" = "Bool(true)" ] && [ "$other" = "false" ]
