"""Requests as Slack, Twilio and HubSpot send them, signed by their own libraries: for `tests/it/more_senders.rs`.

Each has a twin: the same content, written by another serialiser, under the same headers. Twilio signs the fields of a form and not its
text; its JSON is named by a digest in the URL.
"""

import base64
import json
import sys
import time
from hashlib import sha256
from urllib.parse import urlencode

from hubspot_signature import Signature
from slack_sdk.signature import SignatureVerifier
from twilio_request_validator import RequestValidator

SECRET = "a-secret-of-the-tests-0123456789"
HOST = "hooks.example.com"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
REQUESTS = []


def add(sender, path, headers, body, twin, event, event_id=None):
    encode = lambda text: base64.b64encode(text.encode()).decode()
    REQUESTS.append({
        "sender": sender, "path": path, "headers": headers, "body": encode(body), "twin": twin and encode(twin),
        "event": event, "event_id": event_id,
    })


def texts(value):
    return json.dumps(value), json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def slack():
    verifier = SignatureVerifier(SECRET)

    def signed(kind, body):
        now = str(int(time.time()))
        return {**kind, "X-Slack-Request-Timestamp": now, "X-Slack-Signature": verifier.generate_signature(timestamp=now, body=body)}

    inner = {"type": "app_mention", "user": "U061F7AUR", "text": "Zürich <@U0LAN0Z89>", "ts": "1515449522.000016", "channel": "C123"}
    body, twin = texts({"token": "x", "team_id": "T1", "api_app_id": "A1", "event": inner, "type": "event_callback",
                        "event_id": "Ev0PV52K21", "event_time": 1515449522})
    add("slack", "/webhook/slack", signed(JSON, body), body, twin, "app_mention", "Ev0PV52K21")
    command = urlencode({"token": "x", "command": "/weather", "text": "94070 & more", "trigger_id": "13345224609.738474920.8088930838"})
    add("slack", "/webhook/slack", signed(FORM, command), command, command.replace("+", "%20"), "slash_command")
    interaction = {"type": "block_actions", "user": {"id": "U1"}, "actions": [{"action_id": "ok", "value": "ü"}]}
    clicked = urlencode({"payload": json.dumps(interaction)})
    add("slack", "/webhook/slack", signed(FORM, clicked), clicked, clicked.replace("+", ""), "block_actions")
    body, twin = texts({"token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"})
    add("slack-handshake", "/webhook/slack", signed(JSON, body), body, twin, None)


def twilio():
    validator = RequestValidator(SECRET)
    fields = {"MessageSid": "SM1", "From": "+14155550100", "To": "+14155550101", "Body": "Zürich & more = 1", "SmsStatus": "received"}
    path = "/webhook/twilio?from=sms&x=%20y"
    signature = validator.compute_signature(f"https://{HOST}{path}", fields)
    form = urlencode(fields)
    add("twilio", path, {**FORM, "X-Twilio-Signature": signature}, form, form.replace("SM1", "SM2"), "twilio")
    body, twin = texts({"EventType": "onMessageAdded", "Body": "Zürich"})
    path = "/webhook/twilio?bodySHA256=" + sha256(body.encode()).hexdigest()
    signature = validator.compute_signature(f"https://{HOST}{path}", {})
    assert validator.validate(f"https://{HOST}{path}", body, signature)
    assert not validator.validate(f"https://{HOST}{path}", twin, signature)
    add("twilio", path, {**JSON, "X-Twilio-Signature": signature}, body, twin, "twilio")


def hubspot():
    events = [{"eventId": 1, "subscriptionType": "contact.creation", "objectId": 123, "occurredAt": 1752613922000, "portalId": 9},
              {"eventId": 2, "subscriptionType": "contact.propertyChange", "objectId": 124, "propertyValue": "Zürich"}]
    body, twin = texts(events)
    now, url = str(int(time.time() * 1000)), f"https://{HOST}/webhook/hubspot?a=1"
    signature = Signature.get_signature(SECRET, body, "v3", url, "POST", now)
    assert Signature.is_valid(signature, SECRET, body, url, "POST", "v3", now)
    headers = {**JSON, "X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": now}
    add("hubspot", "/webhook/hubspot?a=1", headers, body, twin, "contact.creation")


slack()
twilio()
hubspot()
json.dump(REQUESTS, sys.stdout)
