#!/usr/bin/env bash
# The Rust crate cel 0.15.0: a macro over a map visits its keys in another order at every run of the program, and for every map within
# one run, since maps are std's HashMap. A template that prints tags ({{data.tags.map(k, k)}}) then makes other bytes, and another
# signature, at each retry. npm @bufbuild/cel 0.6.1 visits the keys as the payload has them.
#
# Exits 0 while both behave like this, 1 when one of them changed. Needs cargo, node and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
expression="{'k0': 0, 'k1': 1, 'k2': 2, 'k3': 3, 'k4': 4, 'k5': 5, 'k6': 6, 'k7': 7}.map(k, k)"

mkdir -p crate/src
cat >crate/Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
cel = { version = "=0.15.0", default-features = false }
TOML
cat >crate/src/main.rs <<'RUST'
fn main() {
    let program = cel::Program::compile(&std::env::args().nth(1).unwrap()).unwrap();
    let orders: std::collections::HashSet<String> =
        (0..20).map(|_| format!("{:?}", program.execute(&cel::Context::default()).unwrap())).collect();
    println!("{}", orders.len());
}
RUST
crate=$(cd crate && cargo run --quiet -- "$expression")

npm install --silent --no-audit --no-fund @bufbuild/cel@0.6.1 >/dev/null
cat >other.mjs <<'JS'
import { run } from "@bufbuild/cel";
const orders = new Set();
for (let at = 0; at < 20; at += 1) orders.add([...run(process.argv[2])].join());
console.log(orders.size);
JS
other=$(node other.mjs "$expression")

echo "cel 0.15.0:           $crate orders in 20 evaluations (seen: 20; 1 would be a stable order)"
echo "@bufbuild/cel 0.6.1:  $other order in 20 evaluations (seen: 1)"
[ "$crate" -gt 1 ] && [ "$other" -eq 1 ]
