"""canonical-json and capability-hash: JSON and its hash."""

from canonicaljson import encode_canonical_json

import reading
from common import Bad, either, hash_of, invalid, valid
from reading import Number, Pairs, read

DEPTH = 16
"""How deep arrays and objects must be read, the value itself being the first."""


def raw_of(case):
    return case["json"].encode() if "json" in case else bytes.fromhex(case["json_hex"])


def plain(value):
    """The value in Python's own types, for canonicaljson."""
    if isinstance(value, Number):
        return int(value)
    if isinstance(value, Pairs):
        return {key: plain(member) for key, member in value}
    return [plain(item) for item in value] if isinstance(value, list) else value


def hashed(value):
    canonical = encode_canonical_json(plain(value))
    return {"canonical": canonical.decode(), "sha256": hash_of(canonical)}


def is_set(value):
    return isinstance(value, Pairs) and all(isinstance(member, Pairs) for _, member in value)


def as_set(value):
    if not isinstance(value, Pairs):
        raise Bad("not-an-object")
    if not is_set(value):
        raise Bad("value-not-an-object")
    return value


def ways(failure):
    """The ways in which docs/protocol.md, section 4.4, lets be read what fails so, the expected one first."""
    if failure in ("float", "negative-zero", "integer-out-of-range"):
        numbers = (reading.whole_number, reading.rounded_number, reading.as_double)
        return [lambda raw, number=number: read(raw, number=number) for number in numbers]
    if failure == "duplicate-key":
        twice = (reading.keep_last, reading.keep_first)
        return [lambda raw, members=members: read(raw, members=members) for members in twice]
    return [lambda raw: read(raw[3:])] if failure == "byte-order-mark" else []


def freely(raw, failure, shape):
    """What may be refused, taken in every way that is right."""
    right = []
    for way in ways(failure):
        try:
            right.append(hashed(shape(way(raw))))
        except Bad:
            if not right:
                break
    if not right:
        return invalid(failure)
    expected, *others = right
    return either(failure, expected, dict.fromkeys(o["sha256"] for o in others if o != expected))


def solve(case, shape):
    raw = raw_of(case)
    try:
        value = shape(read(raw))
    except Bad as bad:
        return freely(raw, bad.failure, shape)
    return either("too-deep", hashed(value)) if reading.depth(value) > DEPTH else valid(hashed(value))


def solve_json(case):
    return solve(case, lambda value: value)


def solve_set(case):
    return solve(case, as_set)
