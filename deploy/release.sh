#!/usr/bin/env bash
# Builds the released program and packs it with its licences, its documentation and the files of deploy/.
#
#   deploy/release.sh [--binary FILE] [FOLDER]
#
# FOLDER (default: dist) gets tagohook-VERSION-TARGET.tar.gz and SHA256SUMS. With --binary, FILE is packed instead of a new build.
# The same program gives the same archive: names are sorted, and all times are those of the commit.
set -euo pipefail

fail() { printf 'release.sh: %s\n' "$1" >&2; exit 2; }

binary=
folder=
while [ $# -gt 0 ]; do
  case $1 in
    --binary) [ $# -ge 2 ] || fail "--binary needs a file"; binary=$(realpath -e -- "$2") || exit 2; shift 2 ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit ;;
    -*) fail "unknown option $1; expected --binary FILE" ;;
    *) [ -z "$folder" ] || fail "one folder expected, got $folder and $1"; folder=$1; shift ;;
  esac
done
folder=${folder:-dist}
mkdir -p -- "$folder"
folder=$(realpath -- "$folder")
cd "$(dirname "$0")/.."

if [ -z "$binary" ]; then
  binary=$(deploy/build.sh)
fi
version=$("$binary" --version)
version=${version#tagohook }
declared=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ "$version" = "$declared" ] || fail "$binary is version $version, Cargo.toml says $declared"
target=$(rustc -vV | sed -n 's/^host: //p')
name=tagohook-$version-$target
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -d "$work/$name"
install -m 755 "$binary" "$work/$name/tagohook"
cp -R LICENSE-MIT LICENSE-APACHE README.md CHANGELOG.md SECURITY.md docs deploy "$work/$name/"
# Whoever tries the examples of deploy/ makes secrets there.
find "$work/$name/deploy" -type d -name secrets -prune -exec rm -rf {} +
"$binary" default-config >"$work/$name/default.toml"
chmod -R u=rwX,go=rX "$work/$name"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$time" -C "$work" -cf - "$name" \
  | gzip -n -9 >"$folder/$name.tar.gz"
(cd "$folder" && sha256sum "$name.tar.gz" >SHA256SUMS)
printf '%s\n' "$folder/$name.tar.gz" "$folder/SHA256SUMS"
