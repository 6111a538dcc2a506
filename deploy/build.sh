#!/usr/bin/env bash
# Builds the program for production twice (profile-guided optimisation). The first one counts which code runs while it receives,
# sends, searches and shows pages for about a minute. The second one is optimised for that.
#
#   deploy/build.sh [--profile FILE]
#
# The program is target/dist/tagohook, and the counts are target/guided/tagohook.profdata. With --profile, such a FILE is used
# instead of the first build. It needs curl and `rustup component add llvm-tools`.
set -euo pipefail

fail() { printf 'build.sh: %s\n' "$1" >&2; exit 2; }

profile=
while [ $# -gt 0 ]; do
  case $1 in
    --profile) [ $# -ge 2 ] || fail "--profile needs a file"; profile=$(realpath -e -- "$2") || exit 2; shift 2 ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit ;;
    *) fail "unknown argument $1; expected --profile FILE" ;;
  esac
done
cd "$(dirname "$0")/.."
deploy=$PWD/deploy
target=$(realpath -m -- "${CARGO_TARGET_DIR:-target}")
host=$(rustc -vV | sed -n 's/^host: //p')
merge=$(rustc --print target-libdir)/../bin/llvm-profdata

# Prints the path of the program. With --target, the flags leave out what runs during the build.
build() {
  RUSTFLAGS="${RUSTFLAGS:-} $1" cargo build --locked --profile dist --bin tagohook --target "$host" --target-dir "$target/guided" >&2
  printf '%s\n' "$target/guided/$host/dist/tagohook"
}

if [ -z "$profile" ]; then
  [ -x "$merge" ] || fail "llvm-profdata is missing: rustup component add llvm-tools"
  command -v curl >/dev/null || fail "curl is missing"
  counts=$target/guided/counts
  rm -rf "$counts"
  program=$(build "-Cprofile-generate=$counts")
  "$deploy/exercise.sh" "$program" "$counts"
  profile=$target/guided/tagohook.profdata
  # With the functions that were never called: those are made small.
  "$merge" merge -o "$profile" "$counts"/*.profraw
fi
# Cargo builds a crate again when its flags change, not when a file that they name does.
named=$target/guided/$(sha256sum "$profile" | cut -d ' ' -f 1).profdata
cp "$profile" "$named"
program=$(build "-Cprofile-use=$named")
install -D -s -m 755 "$program" "$target/dist/tagohook"
printf '%s\n' "$target/dist/tagohook"
