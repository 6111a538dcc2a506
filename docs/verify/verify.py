"""Checks X-TagoRUN-Signature in Python, with the standard library.

As a program: python3 verify.py SECRET-FILE SIGNATURE < body
"""

import hashlib
import hmac
import re
import sys


def is_signed(secret: bytes, body: bytes, header: str | None) -> bool:
    """`body` has the bytes as they arrived, not JSON that was parsed and written again."""
    signature = (header or "").strip().removeprefix("sha256=")
    if not re.fullmatch("[0-9a-fA-F]{64}", signature):
        return False
    expected = hmac.new(secret, body, hashlib.sha256).digest()
    return hmac.compare_digest(expected, bytes.fromhex(signature))


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        is_right = is_signed(file.read().strip(), sys.stdin.buffer.read(), sys.argv[2])
    print("valid" if is_right else "invalid")
    sys.exit(0 if is_right else 1)
