#!/usr/bin/env bash
# Has a program do for about a minute what it does in production, on a data directory of its own: it receives accepted and refused
# deliveries from several clients, sends events to subscriptions, searches, and shows pages. deploy/build.sh counts meanwhile.
#
#   deploy/exercise.sh PROGRAM FOLDER [COUNT]
#
# A program that was built to count writes its counts into FOLDER. Each client sends COUNT deliveries, by default 2000.
set -euo pipefail
[ $# -eq 2 ] || [ $# -eq 3 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
program=$(realpath -e -- "$1")
folder=$(realpath -m -- "$2")
count=${3:-2000}

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
# What clients do is not counted.
export LLVM_PROFILE_FILE=/dev/null TAGOHOOK_DATA_DIR=$work/data
cd "$work"
cat >more.toml <<'TOML'
[receiver]
refused_rate = "100000/s"
capture_rate = "100000/s"
TOML
LLVM_PROFILE_FILE="$folder/%p.profraw" "$program" --config more.toml --listen 127.0.0.1:0 --inspect-listen 127.0.0.1:0 >log 2>&1 &
server=$!
for _ in $(seq 300); do [ -e data/addresses.json ] && break; kill -0 "$server" 2>/dev/null || { cat log >&2; exit 1; }; sleep 0.1; done
address() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/http:\/\/\1/p" data/addresses.json; }
receiver=$(address receiver) inspector=$(address inspector)
tagohook() { "$program" --quiet "$@" >/dev/null; }
wait_for() { for job in "$@"; do wait "$job"; done; }

# Receiving: many clients at once, every kind of event, every kind of fault, and what nobody expected.
clients=()
for _ in $(seq 24); do tagohook send user.login --count "$count" & clients+=($!); done
for event in $("$program" events | cut -d ' ' -f 1); do
  tagohook send "$event" --count "$((count / 40 + 1))" & clients+=($!)
done
wait_for "${clients[@]}"
for fault in bad-signature duplicate conflict reencoded; do tagohook send user.login --fault "$fault" --count "$((count / 10 + 1))"; done
curl -s -o /dev/null -X POST --data '{"a":[1,2,{"b":"c"}]}' "$receiver/webhook-test?[1-100]"

# Sending: to our own captures, and with a condition.
for number in 1 2 3 4; do
  printf '{"name":"s%s","url":"%s/webhook-test","events":["*"]}' "$number" "$receiver" >subscription.json
  tagohook subscriptions add subscription.json
done
clients=()
for _ in $(seq 4); do tagohook send user.login --publish --count "$((count / 2 + 1))" & clients+=($!); done
wait_for "${clients[@]}"

# Looking at it.
delivery=$(curl -s "$inspector/api/v1/deliveries?limit=1" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
for page in / /overview /sources /subscriptions /messages /dead-letters /docs /metrics /api/v1/stats /api/v1/openapi.json \
  '/?q=login' '/?q=verdict:rejected' '/?q=nowhere' '/api/v1/deliveries?limit=100' '/api/v1/deliveries?q=signature' '/api/v1/messages?limit=100' \
  "/deliveries/$delivery" "/api/v1/deliveries/$delivery"; do
  curl -s --compressed -o /dev/null "$inspector$page" --next -s -o /dev/null "$inspector$page"
done
kill "$server"
wait "$server" || { cat log >&2; exit 1; }
server=
