"""upload: whether an upload is taken, and the hash under which its set is known then."""

import base64
import re
from urllib.parse import unquote

import canonical
import canonical_mistakes
from common import Bad, REFUSED, ascii_lower, base64_of, either, hash_of, invalid, is_hash, table, valid
from reading import Pairs, read
from writing import write

MISTAKES, mistake = table()
OF_BODY = canonical_mistakes.mistaken(sets=True)


def proper(claim):
    """The hash that a claim spells properly, padded or URL-safe; None where it spells none."""
    bare = claim[:-1] if len(claim) == 44 and claim.endswith("=") else claim
    if not re.search("[+/]", bare):
        bare = bare.replace("-", "+").replace("_", "/")
    return bare if is_hash(bare) else None


def hashes(case):
    """Why the body may be refused, and the hashes under which it may be taken, its own first."""
    solution = canonical.solve_set(case)
    if solution.result == "invalid":
        return solution.failure, []
    return solution.failure, [solution.expected["sha256"], *solution.also]


def solve(case):
    claimed = proper(case["claim"])
    failure, own = hashes(case)
    if claimed is None:
        return invalid("malformed-hash")
    if not own:
        return invalid(failure)
    if claimed not in own:
        return invalid("mismatch")
    known = {"sha256": claimed}
    if claimed != case["claim"]:
        failure = "malformed-hash"
    return either(failure, known) if failure else valid(known)


# Another claim is compared.


def judged(case, claim):
    """The hash under which the set is known if it is uploaded with this claim."""
    claimed = proper(claim)
    return claimed if claimed in hashes(case)[1] else REFUSED


def reads(name, change):
    mistake(name)(lambda case: judged(case, change(case["claim"])))


def without_spare_bits(claim):
    try:
        return base64_of(base64.b64decode(claim + "=", validate=True)) if len(claim) == 43 else claim
    except ValueError:
        return claim


def of_hex(claim):
    return base64_of(bytes.fromhex(claim)) if re.fullmatch("[0-9A-Fa-f]{64}", claim) else claim


reads("claim-cut", lambda claim: claim[:43])
reads("nul-cut", lambda claim: claim.split("\0")[0])
reads("trimmed", lambda claim: claim.strip(" \t\r\n"))
reads("padding-uncounted", lambda claim: claim.rstrip("="))
reads("foreign-characters-skipped", lambda claim: re.sub("[^A-Za-z0-9+/]", "", claim))
reads("spare-bits-ignored", without_spare_bits)
reads("hex-taken", of_hex)
reads("decoded-twice", unquote)
reads("plus-as-space", lambda claim: claim.replace("+", " "))
reads("slashes-merged", lambda claim: re.sub("/+", "/", claim))
reads("slash-splits", lambda claim: claim.split("/")[0])

# The claim is compared otherwise.


def of_set(name):
    """A mistake with whatever body is a set: from the claim and the set's hashes."""

    def add(function):
        @mistake(name)
        def answer(case):
            own = hashes(case)[1]
            return function(case["claim"], own) if own else REFUSED

    return add


def prefix_compared(claim, own):
    return own[0] if own[0].startswith(claim) or proper(claim) in own else REFUSED


def case_folded(claim, own):
    claimed = ascii_lower(proper(claim) or claim)
    return next((each for each in own if ascii_lower(each) == claimed), REFUSED)


of_set("claim-trusted")(lambda claim, _own: proper(claim) or REFUSED)
of_set("claim-unchecked")(lambda claim, _own: claim)
of_set("claim-ignored")(lambda _claim, own: own[0])
of_set("prefix-compared")(prefix_compared)
of_set("case-folded")(case_folded)
of_set("spelling-kept")(lambda claim, own: claim if proper(claim) in own else REFUSED)

# Another body is hashed.


def hashing(name, hashed):
    """A mistake that comes to another hash of the body, or to REFUSED; to None where it cannot be made."""

    @mistake(name)
    def answer(case):
        own = hashed(case)
        return own if own is None or own == proper(case["claim"]) else REFUSED


def by_name_only(case):
    try:
        value = canonical.as_set(read(canonical.raw_of(case)))
    except Bad:
        return None
    return hash_of(write(Pairs((name, Pairs()) for name, _ in value)))


def refuses_empty(case):
    return REFUSED if hashes(case)[1] == [hash_of("{}")] else None


hashing("by-name-only", by_name_only)
hashing("refuses-empty", refuses_empty)
hashing("bytes-hashed", lambda case: hash_of(canonical.raw_of(case)))
mistake("body-unread")(lambda case: proper(case["claim"]) or REFUSED)
for name in (
    "any-json-taken",
    "comments-taken",
    "composed",
    "control-taken",
    "escaped-non-ascii",
    "float-truncated",
    "list-taken",
    "names-only",
    "nan-taken",
    "nulls-dropped",
    "number-as-spelled",
    "spaced",
    "surrogate-replaced",
    "trailing-comma-taken",
    "trailing-ignored",
    "trailing-newline",
    "unknown-escape-taken",
    "unsorted",
    "utf-16-taken",
    "utf16-order",
    "utf8-replaced",
    "values-emptied",
    "wrapped",
):
    hashing(name, OF_BODY[name])
