"""x-matrix-verifying: whether a federation request carries a good signature of its origin.

A receiver that does it right is a table of what it does at each step; a mistake is another entry of it.
"""

import base64
import dataclasses
import re
from collections.abc import Callable
from urllib.parse import unquote

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from canonical import hashed
from common import Bad, REFUSED, TAKEN, ascii_lower, either, invalid, table, valid
from reading import Pairs, read
from x_matrix_header import BEYOND_GRAMMAR, KNOWN, parse
from x_matrix_signing import decoded

MISTAKES, mistake = table()
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the base point: RFC 8032, section 5.1."""


# The steps, each as it is right.


def check_scheme(scheme):
    if scheme.lower() != "x-matrix":
        raise Bad("scheme")


def the_only(values):
    """The value of a parameter, or None where it is missing."""
    if len(values) > 1:
        raise Bad("parameter-twice")
    return values[0] if values else None


def destination_signed(named, receiver):
    """The destination that must have been signed."""
    if named not in (None, receiver):
        raise Bad("destination")
    return receiver


def check_origin(origin, receiver):
    if origin == receiver:
        raise Bad("own-name")


def published(keys, origin, key_id):
    """The keys of which one must have signed."""
    if origin not in keys:
        raise Bad("unknown-origin")
    if key_id not in keys[origin]:
        raise Bad("unknown-key")
    return [keys[origin][key_id]]


def requests(request):
    """The requests of which one must have been signed."""
    return [request]


def signature_bytes(text):
    """The signature, with or without padding; also in the URL-safe alphabet or with spare bits set."""
    standard = text.replace("-", "+").replace("_", "/")
    if not re.fullmatch("[A-Za-z0-9+/]{86}(==)?", standard):
        raise Bad("malformed-signature")
    return decoded(standard.rstrip("="))


def is_canonical(text):
    return text.rstrip("=") == base64.b64encode(signature_bytes(text)).decode().rstrip("=")


def verifies(key, request, signature):
    text = hashed(Pairs(request.items()))["canonical"]
    try:
        VerifyKey(decoded(key)).verify(text.encode(), signature)
    except (BadSignatureError, ValueError):
        return False
    return True


@dataclasses.dataclass
class Receiver:
    parse: Callable = parse
    check_scheme: Callable = check_scheme
    check_header: Callable = lambda _header: None
    the_only: Callable = the_only
    destination: Callable = destination_signed
    check_origin: Callable = check_origin
    keys: Callable = published
    requests: Callable = requests
    spelled: Callable = lambda text: text
    """The signature as it is read."""
    signature: Callable = signature_bytes
    verifies: Callable = verifies

    def check(self, case):
        """Takes the request, or raises Bad. Answers with the header and the parameters that it goes by."""
        scheme = re.match("[^ ]*", case["header"])[0]
        self.check_scheme(scheme)
        header = self.parse(case["header"])
        self.check_header(header)
        named = {name: self.the_only(header.values(name)) for name in ("origin", "destination", "key")}
        named["sig"] = self.the_only([p.value for p in header.parameters if p.name in ("sig", "signature")])
        if None in (named["origin"], named["key"], named["sig"]):
            raise Bad("parameter-missing")
        destination = self.destination(named["destination"], case["receiver"])
        self.check_origin(named["origin"], case["receiver"])
        keys = self.keys(case["keys"], named["origin"], named["key"])
        request = {
            "method": case["method"],
            "uri": case["uri"],
            "origin": named["origin"],
            "destination": destination,
        }
        if "content" in case:
            request["content"] = body(case["content"])
        signature = self.signature(self.spelled(named["sig"]))
        if not any(self.verifies(key, each, signature) for key in keys for each in self.requests(request)):
            raise Bad("signature")
        return header, named


def body(text):
    try:
        return read(text.encode())
    except Bad:
        raise Bad("content") from None


def solve(case):
    try:
        header, named = Receiver().check(case)
    except Bad as bad:
        return invalid(bad.failure)
    if named["destination"] is None:
        return either("destination-missing")
    if not header.values("sig"):
        return either("parameter-missing")
    if any(parameter.bare and BEYOND_GRAMMAR.search(parameter.bare) for parameter in header.parameters):
        return either("syntax")
    return valid() if is_canonical(named["sig"]) else either("malformed-signature")


def does(name, **steps):
    """A receiver that does some step otherwise."""

    @mistake(name)
    def answer(case):
        try:
            Receiver(**steps).check(case)
        except Bad:
            return REFUSED
        return TAKEN


# Legal spellings of the header are refused.


def refuses(name, refused):
    def check_header(header):
        if refused(header):
            raise Bad("syntax")

    does(name, check_header=check_header)


def known(header):
    return [parameter for parameter in header.parameters if parameter.name in KNOWN]


def after_first(header):
    """What stands between two parameters and after the last."""
    return "|".join(header.gaps[1:])


def one_comma_at_most(gaps):
    first, *between, last = gaps
    return "," not in first + last and all(gap.count(",") == 1 for gap in between)


refuses("case-sensitive-scheme", lambda header: header.scheme != "X-Matrix")
refuses("one-space-needed", lambda header: header.gaps[0] != " ")
refuses("case-sensitive-names", lambda header: any(p.spelled != p.name for p in known(header)))
refuses(
    "order-needed", lambda header: [p.name for p in known(header)] != ["origin", "destination", "key", "sig"]
)
refuses("unknown-parameter-refused", lambda header: len(known(header)) < len(header.parameters))
refuses("space-beside-comma-refused", lambda header: re.search("[ \t]", after_first(header)))
refuses("tab-refused", lambda header: "\t" in after_first(header))
refuses("space-beside-equals-refused", lambda header: any(p.equals != "=" for p in header.parameters))
refuses("empty-element-refused", lambda header: not one_comma_at_most(header.gaps))
refuses("quotes-needed", lambda header: any(p.bare is not None for p in header.parameters))
refuses("colon-needs-quotes", lambda header: any(":" in (p.bare or "") for p in header.parameters))
refuses("splits-at-comma-in-quotes", lambda header: any("," in p.value for p in header.parameters))
refuses("splits-at-every-equals", lambda header: any("=" in p.value for p in header.parameters))
refuses("quote-ends-at-escape", lambda header: any('"' in (p.quoted or "") for p in header.parameters))

# The header is read otherwise.


def parse_with_backslashes(text):
    header = parse(text)
    for parameter in header.parameters:
        if parameter.quoted is not None:
            parameter.bare, parameter.quoted = parameter.quoted, None
    return header


def parse_with_open_quote(text):
    try:
        return parse(text)
    except Bad:
        return parse(text + '"')


does("backslashes-kept", parse=parse_with_backslashes)
does("any-scheme", check_scheme=lambda _scheme: None)
does("commas-optional", parse=lambda text: parse(text, separates=lambda gap: gap != ""))
does("open-quote-taken", parse=parse_with_open_quote)
does("first-of-several", the_only=lambda values: values[0] if values else None)
does("last-of-several", the_only=lambda values: values[-1] if values else None)

# Parties and keys are checked otherwise.


def without_port(name):
    return re.sub("(?<=.):[0-9]+$", "", name)


def compared(change):
    """The destination is compared with the receiver after a change of both, and what it names is signed."""

    def destination(named, receiver):
        if named is not None and change(named) != change(receiver):
            raise Bad("destination")
        return receiver if named is None else named

    return destination


def any_of_server(keys, origin, _key_id):
    if origin not in keys:
        raise Bad("unknown-origin")
    return list(keys[origin].values())


def any_server(keys, origin, key_id):
    found = [of_server[key_id] for of_server in keys.values() if key_id in of_server]
    if not found:
        raise Bad("unknown-key")
    return found


def first_of_server(keys, origin, key_id):
    any_of_server(keys, origin, key_id)
    return [keys[origin][min(keys[origin])]]


does("destination-unchecked", destination=lambda named, receiver: receiver if named is None else named)
does("destination-ignored", destination=lambda _named, receiver: receiver)
does(
    "empty-destination-taken", destination=lambda named, receiver: destination_signed(named or None, receiver)
)
does("destination-folded", destination=compared(ascii_lower))
does("destination-port-ignored", destination=compared(without_port))
does("own-name-taken", check_origin=lambda _origin, _receiver: None)
does("key-of-any-server", keys=any_server)
does("any-key-of-server", keys=any_of_server)
does("first-key-of-server", keys=first_of_server)

# Another request will do.


def with_any_method(request):
    return [request | {"method": method} for method in ("GET", "PUT", "POST", "DELETE")]


def with_decoded_uri(request):
    try:
        return [request, request | {"uri": unquote(request["uri"], errors="strict")}]
    except UnicodeDecodeError:
        return [request]


def without_content(request):
    return {name: value for name, value in request.items() if name != "content"}


def with_or_without_empty(request):
    if request.get("content", Pairs()) != Pairs():
        return [request]
    return [without_content(request), request | {"content": Pairs()}]


does("method-unchecked", requests=with_any_method)
does("method-upper-cased", requests=lambda request: [request | {"method": request["method"].upper()}])
does("decoded-uri-taken", requests=with_decoded_uri)
does("query-unchecked", requests=lambda request: [request, request | {"uri": request["uri"].split("?")[0]}])
does("content-unchecked", requests=lambda request: [request, without_content(request)])
does("empty-content-is-none", requests=with_or_without_empty)

# Another signature will do.


def refuse_padding(text):
    if "=" in text:
        raise Bad("malformed-signature")
    return text


def once_reduced(text):
    """The signature with its number made less than the order, read strictly."""
    if not re.fullmatch("[A-Za-z0-9+/]{86}", text):
        raise Bad("malformed-signature")
    made = decoded(text)
    number = int.from_bytes(made[32:], "little")
    return made[:32] + (number - ORDER if number >= ORDER else number).to_bytes(32, "little")


def empty_taken(text):
    return b"" if text == "" else signature_bytes(text)


does("padding-refused", spelled=refuse_padding)
does("signature-cut", spelled=lambda text: text[:86])
does("foreign-characters-skipped", spelled=lambda text: re.sub("[^A-Za-z0-9+/=]", "", text))
does("malleable-taken", signature=once_reduced)
does("signature-unchecked", signature=lambda _text: b"", verifies=lambda *_: True)
does(
    "empty-signature-taken",
    signature=empty_taken,
    verifies=lambda key, request, made: made == b"" or verifies(key, request, made),
)
