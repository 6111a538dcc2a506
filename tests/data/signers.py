"""What the packages of PyPI sign, and what they say of signatures that we made: for `tests/it/real_libraries.rs`.

  python3 signers.py sign             prints requests
  python3 signers.py verify <messages prints, for each message, the packages that verify it
"""

import base64
import json
import pathlib
import sys
from datetime import datetime, timezone

from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks.webhooks import Webhook as StandardWebhook
from stripe import Webhook as StripeWebhook
from stripe import WebhookSignature
from svix.webhooks import Webhook as SvixWebhook

SOURCES = json.loads(pathlib.Path(__file__).with_name("signers.json").read_text())
JSON = {"Content-Type": "application/json"}
SECRETS = {source["name"]: source.get("secret") for source in SOURCES}


def payload(event_id):
    data = {"at": "Zürich <a&b> €", "amount": 21.0, "tiny": 1e-05}
    return json.dumps({"id": event_id, "object": "event", "type": "invoice.paid", "data": data})


def sign():
    requests = []

    def add(library, source, headers, body):
        encoded = base64.b64encode(body.encode() if isinstance(body, str) else body).decode()
        requests.append({"library": library, "source": source, "headers": headers, "body": encoded})

    now = datetime.now(timezone.utc)
    seconds = str(int(now.timestamp()))
    for library, webhook, prefix in [("svix", SvixWebhook, "svix"), ("standardwebhooks", StandardWebhook, "webhook")]:
        body, message = payload(f"evt_pypi_{library}"), f"msg_pypi_{library}"
        signature = webhook(SECRETS["standard"]).sign(message, now, body)
        signed = {f"{prefix}-id": message, f"{prefix}-timestamp": seconds, f"{prefix}-signature": signature}
        add(library, "standard", JSON | signed, body)
    body = payload("evt_pypi_stripe")
    header = WebhookSignature.generate_signature_header(body, SECRETS["stripe"])
    add("stripe", "stripe", JSON | {"Stripe-Signature": header}, body)
    for library, form in [("cloudevents", http.to_structured), ("cloudevents binary", http.to_binary)]:
        attributes = {"id": f"pypi {library}", "source": "/tests", "type": "reading.taken", "specversion": "1.0"}
        event = CloudEvent({**attributes, "datacontenttype": "application/json"}, {"id": "dev-7", "value": 21.5})
        message = form(event, JSONFormat())
        add(library, "cloud", message.headers, message.body)
    print(json.dumps(requests))


def holds(check, body):
    """Whether check takes the body and refuses it with a blank more."""

    def taken(text):
        try:
            return check(text) is not False
        except Exception:
            return False

    return taken(body) and not taken(body + " ")


def verify():
    verified = []
    for message in json.load(sys.stdin):
        key, headers = message.get("secret"), message["headers"]
        body = base64.b64decode(message["body"]).decode()
        checks = {
            "standard-webhooks": {
                "svix": lambda text: SvixWebhook(key).verify(text, headers),
                "standardwebhooks": lambda text: StandardWebhook(key).verify(text, headers),
            },
            "stripe": {"stripe": lambda text: StripeWebhook.construct_event(text, headers["stripe-signature"], key)},
        }.get(message["scheme"], {})
        names = [name for name, check in checks.items() if holds(check, body)]
        if message["scheme"] == "none":
            event = http.from_http(http.HTTPMessage(headers, body.encode()), JSONFormat())
            names = ["cloudevents"] if event.get_type() and event.get_id() else []
        verified.append(names)
    print(json.dumps(verified))


verify() if sys.argv[1:] == ["verify"] else sign()
