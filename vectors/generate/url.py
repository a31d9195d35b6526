"""url-encoding and url-decoding: a path variable and the segment that it stands in."""

import re
import string
import unicodedata
from urllib.parse import quote, quote_plus, unquote_to_bytes

from common import Bad, REFUSED, ascii_lower, either, invalid, table, valid

ENCODING, encoding = table()
DECODING, decoding = table()

ALPHANUMERIC = string.ascii_letters + string.digits
UNRESERVED = ALPHANUMERIC + "-._~"
PCHAR = UNRESERVED + "!$&'()*+,;=:@"


def percent(data):
    return "".join(f"%{byte:02X}" for byte in data)


def encode(text, raw="", escaped="", errors="strict"):
    """Percent-encoded down to unreserved characters, with some more left raw and some of them escaped."""
    left = (set(UNRESERVED) | set(raw)) - set(escaped)
    return "".join(c if c in left else percent(c.encode("utf-8", errors)) for c in text)


# Encoding.


HABITS = [
    ("", ""),
    ("+:=@", ""),
    ("!$&'()*+,;=:@", ""),
    ("!'()*", ""),
    ("$&+=:@", ""),
    ("$&+,:=@", ""),
    ("*", "~"),
    ("!()*", "~"),
    ("", "~"),
    ("@*+", "~"),
    ("", "-._~"),
]
"""What libraries leave raw beyond unreserved characters, and what of these they escape; right: the first."""


def forms(text):
    """Every form that is right, the first being the expected one."""
    for raw, escaped in HABITS:
        segment = encode(text, raw, escaped)
        yield segment
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), segment)


def solve_encoding(case):
    segment, *also = dict.fromkeys(forms(case["text"]))
    solution = valid({"segment": segment})
    solution.also = also
    return solution


def encodes(name, encoder):
    encoding(name)(lambda case: encoder(case["text"]))


def latin_1(character):
    point = ord(character)
    return percent([point]) if point <= 0xFF else "%3F"


def javascript_escape(text):
    data = text.encode("utf-16-be")
    units = [int.from_bytes(data[i : i + 2]) for i in range(0, len(data), 2)]
    safe = ALPHANUMERIC + "@*_+-./"
    return "".join(
        chr(u) if u < 128 and chr(u) in safe else f"%{u:02X}" if u <= 0xFF else f"%u{u:04X}" for u in units
    )


def surrogates(text):
    """Every character beyond U+FFFF as two halves."""
    data = text.encode("utf-16-be")
    return "".join(chr(int.from_bytes(data[i : i + 2])) for i in range(0, len(data), 2))


encodes("nothing-encoded", lambda text: text)
encodes("encoded-twice", lambda text: encode(text).replace("%", "%25"))
encodes("slash-left", lambda text: quote(text, safe="/~"))
encodes("encode-uri", lambda text: encode_uri(text))
encodes("first-slash-only", lambda text: encode(text, "/").replace("/", "%2F", 1))
encodes("escapes-left", lambda text: re.sub("%25([0-9A-Fa-f]{2})", r"%\1", encode(text)))
encodes("leading-slashes-dropped", lambda text: encode(text.lstrip("/")))
encodes("percent-left", lambda text: encode(text, "%"))
encodes("only-forbidden", lambda text: "".join(percent(c.encode()) if forbidden(c) else c for c in text))
encodes("non-ascii-left", lambda text: "".join(c if c > "\x7f" else encode(c) for c in text))
encodes("form-encoded", lambda text: "".join("+" if c == " " else java(c) for c in text))
encodes("space-as-plus", lambda text: quote_plus(text))
encodes("url-safe", lambda text: encode(text.replace("+", "-").replace("/", "_")))
encodes("latin-1", lambda text: "".join(c if c in UNRESERVED else latin_1(c) for c in text))
encodes("percent-u", javascript_escape)
encodes("surrogates-encoded", lambda text: encode(surrogates(text), errors="surrogatepass"))
encodes("composed", lambda text: encode(unicodedata.normalize("NFC", text)))
encodes("lower-cased", lambda text: encode(ascii_lower(text)))
encodes("trimmed", lambda text: encode(text.strip(" \t\r\n")))
encodes("cut-at-nul", lambda text: encode(text.split("\0")[0]))
encodes("dot-segments-removed", lambda text: "" if text in (".", "..") else encode(text))


def encode_uri(text):
    left = ALPHANUMERIC + "-_.~!*'();/?:@&=+$,#"
    return "".join(c if c in left else percent(c.encode()) for c in text)


def java(character):
    return character if character in ALPHANUMERIC + "*-._" else percent(character.encode())


def forbidden(character):
    return character < " " or character in ' "#<>?`{}/%' or character >= "\x7f"


# Decoding.


def bytes_of(segment):
    if re.search("%(?![0-9A-Fa-f]{2})", segment):
        raise Bad("malformed-escape")
    return unquote_to_bytes(segment)


def decode(segment):
    try:
        return bytes_of(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("not-utf8") from None


def solve_decoding(case):
    segment = case["segment"]
    try:
        text = decode(segment)
    except Bad as bad:
        return invalid(bad.failure)
    expected = {"text": text}
    if text == "":
        return either("empty", expected)
    if text in (".", ".."):
        return either("dot-segment", expected)
    if any(c < " " or c == "\x7f" for c in text):
        return either("control-character", expected)
    if any(c not in PCHAR + "%" for c in segment):
        return either("illegal-character", expected)
    if any(c in "!$&'()*+,;" for c in segment):
        return either("raw-delimiter", expected)
    return valid(expected)


def decodes(name, decoder):
    @decoding(name)
    def answer(case):
        try:
            return decoder(case["segment"])
        except (Bad, UnicodeDecodeError):
            return REFUSED


def escapes(segment, change):
    """Decoded rightly, but for the escapes that are changed first."""
    return decode(re.sub("%[0-9A-Fa-f]{2}", lambda escape: change(escape[0]), segment))


def raw_refused(segment):
    if any(c not in UNRESERVED + "%" for c in segment):
        raise Bad("illegal-character")
    return decode(segment)


def malformed_kept(segment):
    return decode(re.sub("%(?![0-9A-Fa-f]{2})", "%25", segment))


def percent_u(segment):
    parts = re.split("(%u[0-9A-Fa-f]{4})", segment)
    text = "".join(chr(int(part[2:], 16)) if i % 2 else decode(part) for i, part in enumerate(parts))
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be")


def dot_segments(text):
    kept = []
    for part in text.split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    return "/".join(kept)


SEQUENCE = re.compile(
    rb"[\x00-\x7f]|[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}"
)
"""Of UTF-8, by its first byte alone."""


def overlong(data):
    sequences = SEQUENCE.findall(data)
    points = list(map(point_of, sequences))
    if b"".join(sequences) != data or any(p > 0x10FFFF or 0xD800 <= p <= 0xDFFF for p in points):
        raise Bad("not-utf8")
    return "".join(map(chr, points))


def point_of(sequence):
    point = sequence[0] & (0x7F >> len(sequence)) if len(sequence) > 1 else sequence[0]
    for byte in sequence[1:]:
        point = point << 6 | byte & 0x3F
    return point


def modified(data):
    text = data.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    paired = re.sub(
        "[\ud800-\udbff][\udc00-\udfff]",
        lambda pair: pair[0].encode("utf-16-be", "surrogatepass").decode("utf-16-be"),
        text,
    )
    if re.search("[\ud800-\udfff]", paired):
        raise Bad("not-utf8")
    return paired


def latin_1_where_not_utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def of_bytes(name, reader):
    decodes(name, lambda segment: reader(bytes_of(segment)))


def of_decoded(name, change):
    decodes(name, lambda segment: change(decode(segment)))


def bounded(text):
    if any(c > "\uffff" for c in text):
        raise Bad("four-bytes")
    return text


decodes("not-decoded", lambda segment: segment)
decodes("decoded-twice", lambda segment: decode(decode(segment)))
decodes("raw-refused", raw_refused)
decodes("plus-as-space", lambda segment: decode(segment.replace("+", " ")))
decodes("slash-left", lambda segment: escapes(segment, lambda e: f"%25{e[1:]}" if e.lower() == "%2f" else e))
decodes(
    "lower-case-escapes-kept",
    lambda segment: escapes(segment, lambda e: f"%25{e[1:]}" if e != e.upper() else e),
)
decodes("malformed-kept", malformed_kept)
decodes("percent-u", percent_u)
decodes("semicolon-cuts", lambda segment: decode(segment.split(";")[0]))
of_decoded("slash-splits", lambda text: text.split("/")[0])
of_decoded("slashes-merged", lambda text: re.sub("/+", "/", text))
of_decoded("dot-segments-resolved", dot_segments)
of_decoded("cut-at-nul", lambda text: text.split("\0")[0])
of_decoded("trimmed", lambda text: text.strip(" \t\r\n"))
of_decoded("lower-cased", ascii_lower)
of_decoded("composed", lambda text: unicodedata.normalize("NFC", text))
of_decoded("byte-order-mark-dropped", lambda text: text.removeprefix("\ufeff"))
of_decoded("four-bytes-refused", bounded)
of_decoded("leading-slashes-dropped", lambda text: text.lstrip("/"))
of_bytes("latin-1", lambda data: data.decode("latin-1"))
of_bytes("latin-1-where-not-utf8", latin_1_where_not_utf8)
of_bytes("replaced-where-not-utf8", lambda data: data.decode("utf-8", "replace"))
of_bytes("dropped-where-not-utf8", lambda data: data.decode("utf-8", "ignore"))
of_bytes("overlong-taken", overlong)
of_bytes("modified-utf-8", modified)
