"""hash-strings: whether a string is a hash as a server may write it."""

import base64
import re
import string
import urllib.parse

from common import REFUSED, TAKEN, base64_of, invalid, is_hash, table, valid

MISTAKES, mistake = table()
ALPHABET = set(string.ascii_letters + string.digits + "+/")


def solve(case):
    text = case["text"]
    if len(text) != 43:
        return invalid("length")
    if not set(text) <= ALPHABET:
        return invalid("alphabet")
    return valid() if base64_of(base64.b64decode(text + "=")) == text else invalid("last-character")


def decoded(text):
    return urllib.parse.unquote(text, errors="replace")


def checks(name, takes):
    mistake(name)(lambda case: TAKEN if takes(case["text"]) else REFUSED)


checks("length-unchecked", lambda text: text != "" and set(text) <= ALPHABET)
checks("alphabet-unchecked", lambda text: len(text) == 43)
checks("last-bits-unchecked", lambda text: len(text) == 43 and set(text) <= ALPHABET)
checks("padding-taken", lambda text: is_hash(text) or (text.endswith("=") and is_hash(text[:-1])))
checks("url-safe-taken", lambda text: is_hash(text.replace("-", "+").replace("_", "/")))
checks("space-trimmed", lambda text: is_hash(text.strip(" \t\n\f\r")))
checks("percent-decoded", lambda text: is_hash(decoded(text)))
checks("percent-decoded-again", lambda text: is_hash(decoded(decoded(text))))
checks(
    "request-spellings-taken",
    lambda text: is_hash(text.removesuffix("=").replace("-", "+").replace("_", "/")),
)
checks(
    "prefix-dropped",
    lambda text: is_hash(re.sub("^sha256[:-]", "", text).removesuffix("=")),
)
checks("hex-taken", lambda text: is_hash(text) or re.fullmatch("[0-9A-Fa-f]{64}", text))
checks(
    "bytes-counted", lambda text: len(text.encode()) == 43 and all(c in ALPHABET or c > "\x7f" for c in text)
)
checks("url-safe-only", lambda text: is_hash(text) and not set(text) & set("+/"))
checks("slash-refused", lambda text: is_hash(text) and "/" not in text)
checks("letters-at-the-end-only", lambda text: is_hash(text) and text[-1].isalpha())
checks("capital-at-the-end-only", lambda text: is_hash(text) and text[-1].isupper())
