#!/usr/bin/env python3
"""Confirms the golden vectors with an implementation that shares no code with capcheck:
Matrix's own canonicaljson from PyPI, and Python's standard library.

    python3 -m venv venv && venv/bin/pip install canonicaljson
    venv/bin/python vectors/confirm.py [DIR]

Exits with 0 if every judged value is confirmed, 1 if one is not, 2 if canonicaljson or a file is
missing. Values that canonicaljson cannot judge are counted, each with the reason.
"""

import base64
import collections
import hashlib
import json
import pathlib
import sys

try:
    from canonicaljson import encode_canonical_json
except ImportError as error:
    print(f"confirm: {error}; install it with: pip install canonicaljson", file=sys.stderr)
    sys.exit(2)

# What Python and canonicaljson accept although the Matrix specification does not.
LENIENT = {
    "duplicate-key": "json.loads takes the last of two equal keys",
    "float": "canonicaljson writes floats",
    "integer-out-of-range": "canonicaljson writes integers of any size",
}

confirmed = 0
refuted = []
unjudged = collections.Counter()


def confirm(file, case, field, expected, actual):
    global confirmed
    if expected == actual:
        confirmed += 1
    else:
        refuted.append(f"{file}: {case['id']}: {field}: the file has {expected!r}, Python has {actual!r}")


def base64_of(data):
    return base64.b64encode(data).decode().rstrip("=")


def hash_of(data):
    return base64_of(hashlib.sha256(data).digest())


def wrong_answer(mistake, text, value):
    """The wrong hash that a mistake gives, where the standard library makes that mistake by itself."""
    canonical = encode_canonical_json(value)
    digest = hashlib.sha256(canonical).digest()
    dumps = lambda **options: json.dumps(value, **options).encode()  # noqa: E731
    compact = (",", ":")
    answers = {
        "as-uploaded": lambda: hash_of(text.encode()),
        "unsorted": lambda: hash_of(dumps(ensure_ascii=False, separators=compact)),
        "spaced": lambda: hash_of(dumps(ensure_ascii=False, sort_keys=True)),
        "padded": lambda: base64.b64encode(digest).decode(),
        "url-safe": lambda: base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "hex": lambda: digest.hex(),
    }
    return answers[mistake]() if mistake in answers else None


def read(raw):
    """A value as canonicaljson sees it; ValueError (UnicodeError is one) where there is none."""
    value = json.loads(raw.decode("utf-8"))
    encode_canonical_json(value)
    return value


def is_set(value):
    return isinstance(value, dict) and all(isinstance(parameters, dict) for parameters in value.values())


def confirm_valid(file, case):
    value = read(case["input"].encode())
    canonical = encode_canonical_json(value)
    confirm(file, case, "canonical", case["canonical"], canonical.decode())
    confirm(file, case, "sha256", case["sha256"], hash_of(canonical))
    for mistake, expected in case.get("wrong", {}).items():
        actual = wrong_answer(mistake, case["input"], value)
        if actual is None:
            unjudged["the standard library does not make this mistake"] += 1
        else:
            confirm(file, case, f"wrong.{mistake}", expected, actual)


def confirm_invalid(file, case):
    raw = case["input"].encode() if "input" in case else bytes.fromhex(case["input_hex"])
    mistake = case["mistake"]
    try:
        value = read(raw)
    except ValueError:
        refused = True
    else:
        refused = file == "capability-hash.json" and not is_set(value)
    if not refused and mistake in LENIENT:
        unjudged[LENIENT[mistake]] += 1
    else:
        confirm(file, case, "result", "invalid", "invalid" if refused else "valid")


def confirm_reading(file, case):
    (confirm_valid if case["result"] == "valid" else confirm_invalid)(file, case)


def confirm_union(file, case):
    union = {}
    for text in case["sets"]:
        union.update(read(text.encode()))
    canonical = encode_canonical_json(union)
    confirm(file, case, "canonical", case["canonical"], canonical.decode())
    confirm(file, case, "sha256", case["sha256"], hash_of(canonical))
    ends = {"first-only": 0, "last-only": -1}
    for mistake, expected in case.get("wrong", {}).items():
        if mistake in ends:
            only = read(case["sets"][ends[mistake]].encode())
            confirm(file, case, f"wrong.{mistake}", expected, hash_of(encode_canonical_json(only)))
        else:
            unjudged["a mistake that needs an implementation of its own"] += 1


def confirm_hash_string(file, case):
    text = case["text"]
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        valid = len(data) == 32 and base64_of(data) == text
    except ValueError:
        valid = False
    confirm(file, case, "result", case["result"], "valid" if valid else "invalid")


FILES = {
    "canonical-json.json": confirm_reading,
    "capability-hash.json": confirm_reading,
    "union.json": confirm_union,
    "hash-strings.json": confirm_hash_string,
}


def main():
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    cases = 0
    for file, confirm_case in FILES.items():
        try:
            document = json.loads((directory / file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            print(f"confirm: {directory / file}: {error}", file=sys.stderr)
            return 2
        if not document.get("cases"):
            print(f"confirm: {directory / file}: there are no cases", file=sys.stderr)
            return 2
        for case in document["cases"]:
            confirm_case(file, case)
            cases += 1
    for line in refuted:
        print(line)
    for reason, count in unjudged.items():
        print(f"not judged: {count:3} ({reason})")
    print(f"confirm: {cases} cases, {confirmed} values confirmed, {len(refuted)} refuted")
    return 1 if refuted else 0


if __name__ == "__main__":
    sys.exit(main())
