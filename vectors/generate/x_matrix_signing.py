"""x-matrix-signing: the signature of a federation request."""

import base64
import hashlib
import re
from urllib.parse import unquote

from nacl.signing import SigningKey

import writing
from canonical import hashed
from common import Bad, ascii_lower, base64_of, invalid, table, valid
from reading import Pairs, read
from writing import write

MISTAKES, mistake = table()
UNRESERVED = "[A-Za-z0-9._~-]"


def decoded(text):
    """Unpadded Base64, read as the Matrix specification says: leniently."""
    return base64.b64decode(text + "=" * (-len(text) % 4))


def request(case):
    """What is signed, in the order in which the notes of the source put it together."""
    members = {name: case[name] for name in ("method", "uri", "origin", "destination")}
    if "content" in case:
        members["content"] = read(case["content"].encode())
    return members


def key_of(case):
    seed = decoded(case["seed"])
    if len(seed) != 32:
        raise Bad("seed")
    return SigningKey(seed)


def signature(key, text):
    data = text if isinstance(text, bytes) else text.encode()
    return key.sign(data).signature


def solve(case):
    try:
        key = key_of(case)
    except Bad as bad:
        return invalid(bad.failure)
    try:
        signed = hashed(Pairs(request(case).items()))["canonical"]
    except Bad:
        return invalid("content")
    made = base64_of(signature(key, signed))
    named = {"origin": case["origin"], "destination": case["destination"], "key": case["key_id"], "sig": made}
    header = "X-Matrix " + ",".join(f'{name}="{value}"' for name, value in named.items())
    return valid({"signed": signed, "signature": made, "header": header})


def signs(name, text):
    """A mistake that signs another text, made of the members of the request and of the case."""

    @mistake(name)
    def answer(case):
        other = text(request(case), case)
        return None if other is None else base64_of(signature(key_of(case), other))


def canonical(members):
    return write(Pairs(members.items()))


# Another object is signed.


def changes(name, change):
    signs(name, lambda members, case: canonical(change(members, case)))


def without(members, *names):
    return {name: value for name, value in members.items() if name not in names}


def empty_omitted(members, _case):
    return (
        without(members, "content")
        if isinstance(members.get("content"), Pairs) and not members["content"]
        else members
    )


def at_top(members, _case):
    content = members.get("content")
    return dict(content) | without(members, "content") if isinstance(content, Pairs) else members


def as_sent(members, case):
    rest = canonical(without(members, "content"))
    return '{"content":' + case["content"] + "," + rest[1:] if "content" in case else rest


def names(change):
    return lambda members, _case: (
        members | {name: change(members[name]) for name in ("origin", "destination")}
    )


def swapped(members, case):
    return members | {"origin": case["destination"], "destination": case["origin"]}


changes("content-omitted", lambda members, _case: without(members, "content"))
changes("empty-content-omitted", empty_omitted)
changes("empty-content-added", lambda members, _case: {"content": Pairs()} | members)
changes("null-content-added", lambda members, _case: {"content": None} | members)
changes(
    "content-as-string",
    lambda members, case: members | {"content": case["content"]} if "content" in case else members,
)
changes("content-at-top", at_top)
changes("destination-omitted", lambda members, _case: without(members, "destination"))
changes("origin-and-destination-swapped", swapped)
changes("ports-dropped", names(lambda name: re.sub("(?<=.):[0-9]+$", "", name)))
changes("names-lower-cased", names(ascii_lower))
changes("method-lower-case", lambda members, _case: members | {"method": ascii_lower(members["method"])})
changes("signatures-included", lambda members, _case: members | {"signatures": Pairs()})
signs("content-alone", lambda members, _case: write(members["content"]) if "content" in members else None)


signs("content-as-sent", as_sent)


# Another URI is signed.


def spells(name, change):
    def changed(members, case):
        uri = change(case["uri"])
        return None if uri is None else canonical(members | {"uri": uri})

    signs(name, changed)


def all_decoded(uri):
    try:
        return unquote(uri, errors="strict")
    except UnicodeDecodeError:
        return None


def escapes(change):
    return lambda uri: re.sub("%[0-9A-Fa-f]{2}", lambda escape: change(escape[0]), uri)


def unreserved_decoded(escape):
    character = chr(int(escape[1:], 16))
    return character if re.fullmatch(UNRESERVED, character) else escape


def query_sorted(uri):
    path, mark, query = uri.partition("?")
    return path + mark + "&".join(sorted(query.split("&")))


signs(
    "uri-with-host",
    lambda members, case: canonical(members | {"uri": f"https://{case['destination']}{case['uri']}"}),
)
spells("uri-decoded", all_decoded)
spells("uri-encoded-again", lambda uri: uri.replace("%", "%25"))
spells("uri-unreserved-decoded", escapes(unreserved_decoded))
spells("uri-escapes-upper-cased", escapes(str.upper))
spells("uri-slashes-merged", lambda uri: re.sub("/+", "/", uri))
spells("uri-plus-encoded", lambda uri: uri.replace("+", "%2B"))
spells("query-omitted", lambda uri: uri.split("?")[0])
spells("query-sorted", query_sorted)
spells("empty-query-dropped", lambda uri: uri.removesuffix("?"))

# The object is written otherwise.


def styled(name, **style):
    signs(name, lambda members, _case: write(Pairs(members.items()), **style))


styled("unsorted", order=writing.as_uploaded)
styled("unsorted-nested", order=writing.top_only)
styled("utf16-order", order=writing.by_utf16)
styled("folded-order", order=writing.folded)
styled("integer-keys-first", order=writing.integers_first)
styled("spaced", gap=" ")
styled("escaped-non-ascii", escape=writing.escaping(lambda c: c > "\x7e"))
styled("escaped-slash", escape=lambda c: "\\/" if c == "/" else writing.shortest(c))
styled("escaped-html", escape=writing.escaping(lambda c: c in "<>&\u2028\u2029"))
signs("hashed-first", lambda members, _case: hashlib.sha256(canonical(members).encode()).digest())
signs("trailing-newline", lambda members, _case: canonical(members) + "\n")


# The signature is made with another key, or spelled otherwise.


def spelled(name, spell, key=key_of):
    mistake(name)(lambda case: spell(signature(key(case), canonical(request(case)))))


spelled("seed-as-text", base64_of, key=lambda case: SigningKey(case["seed"][:32].encode()))
spelled("padded", lambda made: base64.b64encode(made).decode())
spelled("url-safe", lambda made: base64.urlsafe_b64encode(made).decode().rstrip("="))
spelled("hex", bytes.hex)
