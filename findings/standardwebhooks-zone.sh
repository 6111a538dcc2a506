#!/usr/bin/env bash
# PyPI standardwebhooks 1.1.0 (and svix 2.9.1, which signs with it): Webhook.sign() drops the time zone of an
# aware datetime and reads its wall time as UTC. The signature is then whole hours away from the webhook-timestamp that
# int(timestamp.timestamp()) gives, and the library's own verify() refuses it. On machines that run in UTC nothing shows.
#
# Expected: the same instant makes the same signature in every zone. Seen: only the one in UTC is verified.
# Exits 0 while both behave like this, 1 when one of them changed. Needs python3 with pip.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target packages \
  standardwebhooks==1.1.0 svix==2.9.1 2>/dev/null
cat >sign.py <<'PY'
import sys
from datetime import datetime, timedelta, timezone
from importlib import import_module
from importlib.metadata import version

Webhook = import_module(f"{sys.argv[1]}.webhooks").Webhook
webhook = Webhook("whsec_YW5vdGhlciB0aGlydHktdHdvIGJ5dGVzIG9mIGtleXM=")
now = datetime.now(timezone.utc)
seen = []
for hours in (0, 2):
    instant = now.astimezone(timezone(timedelta(hours=hours)))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(instant.timestamp())),
        "webhook-signature": webhook.sign("msg_1", instant, "{}"),
    }
    try:
        webhook.verify("{}", headers)
        seen.append(f"+{hours:02}:00 verified")
    except Exception as fault:
        seen.append(f"+{hours:02}:00 {fault}")
print("; ".join(seen))
print(f"{sys.argv[1]} {version(sys.argv[1])}", file=sys.stderr)
PY
expected="+00:00 verified; +02:00 No matching signature found"
for package in standardwebhooks svix; do
  output=$(PYTHONPATH=packages python3 sign.py "$package")
  echo "  $output (seen: $expected)"
  [ "$output" = "$expected" ]
done
