#!/usr/bin/env bash
# The two official CloudEvents SDKs do not agree on ids in binary mode. The HTTP binding asks for percent-encoding of blanks, quotes,
# "%" and everything beyond ASCII in ce-* headers. PyPI cloudevents 2.2.0 does so, npm cloudevents 10.0.0 neither encodes nor
# decodes. So the event "50%41" that npm sends arrives in Python as "50A", what Python sends as "a b" arrives in Node as
# "a%20b", and an id with "€" cannot be sent by Node at all: its HTTP module refuses the header.
# Whoever deduplicates by id, or answers with it, sees another id than the sender has.
#
# Expected: both read the id that the other one sent. Exits 0 while they do not, 1 when one of them changed.
# Needs node, npm and python3 with pip.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm install --silent --no-audit --no-fund cloudevents@10.0.0 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target packages cloudevents==2.2.0 2>/dev/null
cat >node.cjs <<'JS'
const { CloudEvent, HTTP } = require('cloudevents');
const [mode, id] = process.argv.slice(2);
const sent = HTTP.binary(new CloudEvent({ id, source: '/s', type: 't', data: {} })).headers;
if (mode === 'send') console.log(sent['ce-id']);
else console.log(HTTP.toEvent({ headers: { ...sent, 'ce-id': id }, body: '{}' }).id);
JS
cat >python.py <<'PY'
import sys
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

mode, name = sys.argv[1:]
attributes = {"id": name, "source": "/s", "type": "t", "specversion": "1.0", "datacontenttype": "application/json"}
sent = http.to_binary(CloudEvent(attributes, {}), JSONFormat())
if mode == "send":
    print(sent.headers["ce-id"])
else:
    print(http.from_http(http.HTTPMessage({**sent.headers, "ce-id": name}, sent.body), JSONFormat()).get_id())
PY
python() { PYTHONPATH=packages python3 python.py "$@"; }
to_python=$(python read "$(node node.cjs send '50%41')")
to_node=$(node node.cjs read "$(python send 'a b')")
echo "npm cloudevents 10.0.0 sends \"50%41\", PyPI cloudevents 2.2.0 reads \"$to_python\" (seen: 50A)"
echo "PyPI cloudevents 2.2.0 sends \"a b\", npm cloudevents 10.0.0 reads \"$to_node\" (seen: a%20b)"
[ "$to_python" = "50A" ] && [ "$to_node" = "a%20b" ]
