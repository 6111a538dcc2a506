#!/usr/bin/env bash
# tests/postgres.sh COMMAND…: runs COMMAND with a PostgreSQL server of its own, named by TAGOHOOK_TEST_POSTGRES. The server
# runs as an unprivileged user, on a free port and on a socket in its own folder; both are gone afterwards. It keeps nothing
# on disk for certain (fsync = off): tests of crashes start their own (tests/it/harness/database.rs).
set -euo pipefail

bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "PostgreSQL is not installed: ./test installs it" >&2; exit 1; }
folder=$(mktemp -d)
as=()
if [ "$(id -u)" -eq 0 ]; then
  chown postgres "$folder"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
# The server of a test that was interrupted would stay.
trap '"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

(cd "$folder" && "${as[@]}" "$bin/initdb" -A trust -U postgres -E UTF8 --locale=C.UTF-8 -N -D "$folder/data" >/dev/null)
for _ in $(seq 20); do
  port=$((10000 + RANDOM % 20000))
  options="-p $port -k $folder -c listen_addresses=127.0.0.1 -c max_connections=400 -c fsync=off -c autovacuum_naptime=1s"
  if (cd "$folder" && "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -o "$options" start >/dev/null); then
    TAGOHOOK_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres" "$@"
    exit
  fi
done
cat "$folder/log" >&2
exit 1
