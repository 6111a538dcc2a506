#!/usr/bin/env bash
# tests/openapi.sh PROGRAM [EXAMPLES]: asks a program of its own what its OpenAPI document says can be asked, well and badly, and
# fails on a 5xx, on a status or a content type that is not described, and on an answer that does not match its schema.
# EXAMPLES are for each operation; 200, as without a word, make more than 10,000 requests.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$(realpath "$1")
examples=${2:-200}
tools=$(realpath "${CARGO_TARGET_DIR:-target}")/schemathesis
if [ ! -x "$tools/bin/schemathesis" ] || [ "$tools" -ot tests/data/schemathesis.txt ]; then
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps -r tests/data/schemathesis.txt
fi

folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
"$program" --data-dir "$folder/data" --listen 127.0.0.1:0 --inspect-listen 127.0.0.1:0 >"$folder/out" 2>&1 &
server=$!
for _ in $(seq 200); do [ -f "$folder/data/addresses.json" ] && break; sleep 0.05; done
receiver=http://$(jq -r .receiver "$folder/data/addresses.json")
api=http://$(jq -r .inspector "$folder/data/addresses.json")/api/v1

# Something of everything, so that ids lead somewhere.
post() { curl -sf -H 'Content-Type: application/json' -d "$2" "$api/$1"; }
for n in 1 2 3; do
  curl -s -o /dev/null -d "{\"event\":\"user.login\",\"id\":\"e$n\"}" "$receiver/webhook-test"
  curl -s -o /dev/null -d "{\"event\":\"user.login\",\"id\":\"e$n\"}" "$receiver/webhook/tagorun"
done
subscription=$(post subscriptions "{\"name\":\"ours\",\"url\":\"$receiver/webhook-test\",\"events\":[\"*\"]}" | jq -r .id)
post events '{"event":"user.login","id":"evt-1"}' >"$folder/event"
sleep 1
delivery=$(curl -sf "$api/deliveries?limit=1" | jq -r '.deliveries[0].id')
message=$(curl -sf "$api/messages?limit=1" | jq -r '.messages[0].id')
replay=$(post "deliveries/$delivery/replay" '{}' | jq -r .id)
run=$(post deliveries/replay '{"limit":1}' | jq -r .id)
check=$(post what-if '{"source":"tagorun"}' | jq -r .id)

operation() { printf '[[operations]]\ninclude-path-regex = "%s"\nparameters = { "path.id" = "%s" }\n' "$1" "$2"; }
{
  operation '^(/api/v1)?/deliveries/\\{id\\}' "$delivery"
  operation '^(/api/v1)?/messages/\\{id\\}' "$message"
  operation '^(/api/v1)?/replays/\\{id\\}' "$replay"
  operation '^(/api/v1)?/replay-runs/\\{id\\}' "$run"
  operation '^(/api/v1)?/what-if/\\{id\\}$' "$check"
  operation '^(/api/v1)?/subscriptions/\\{id\\}(/test|/check)?$' "$subscription"
} >"$folder/schemathesis.toml"

# A stream has no end, and what waits waits.
"$tools/bin/schemathesis" --config-file "$folder/schemathesis.toml" run "$api/openapi.json" --no-color --workers 2 \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing --max-examples "$examples" --exclude-path-regex '(/stream|/wait)$' \
  --request-timeout 20 >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
grep -A1 'Test cases:' "$folder/log"
if grep -q 'panicked' "$folder/out"; then cat "$folder/out"; exit 1; fi
