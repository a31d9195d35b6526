"""JSON, read strictly by Python's json with every hook it has, or more leniently in one named way."""

import json
import re
from decimal import Decimal

from common import Bad

LARGEST = 2**53 - 1


class Number(str):
    """A number as it is to be written."""


class Pairs(list):
    """The members of an object, in the order in which they came."""


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def whole(spelled):
    """The integer that is spelled so, in any spelling."""
    number = Decimal(spelled)
    if number.is_zero():
        return 0
    # What has more digits is in no vector.
    if not 0 <= number.adjusted() < 512 or number != number.to_integral_value():
        raise Bad("float")
    return int(number)


def bounded(integer):
    if abs(integer) > LARGEST:
        raise Bad("integer-out-of-range")
    return Number(integer)


def strict_number(spelled):
    if re.search("[.eE]", spelled):
        raise Bad("float")
    if spelled == "-0":
        raise Bad("negative-zero")
    return bounded(int(spelled))


def whole_number(spelled):
    return Number(whole(spelled))


def rounded_number(spelled):
    try:
        return Number(int(float(spelled)) if whole(spelled) else 0)
    except OverflowError:
        raise Bad("float") from None


def as_double(spelled):
    number = float(spelled)
    if number != 0 and not 1e-6 <= abs(number) < 1e21:
        raise Bad("float")
    text = format(Decimal(repr(number)), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return Number("0" if number == 0 else text)


def exact_number(spelled):
    if re.search("[.eE]", spelled) or spelled == "-0":
        raise Bad("float")
    return Number(int(spelled))


def refuse_constant(_):
    raise Bad("syntax")


def refuse_duplicates(members):
    if len({key for key, _ in members}) < len(members):
        raise Bad("duplicate-key")
    return Pairs(members)


def keep_first(members):
    first = {}
    for key, value in members:
        first.setdefault(key, value)
    return Pairs(first.items())


def keep_last(members):
    return Pairs(dict(members).items())


def merged(members):
    """The last counts, but two objects become one, in the same way."""
    kept = {}
    for key, value in members:
        both = key in kept and isinstance(kept[key], Pairs) and isinstance(value, Pairs)
        kept[key] = merged([*kept[key], *value]) if both else value
    return Pairs(kept.items())


def decode(raw):
    if not raw.strip(b" \t\r\n"):
        raise Bad("empty")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise Bad("byte-order-mark")
    if raw[:2] in (b"\xfe\xff", b"\xff\xfe") or (0 in raw[:2] and len(raw) % 2 == 0):
        raise Bad("utf-16")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("not-utf8") from None


def lone_surrogates(value):
    """Whether half a pair is left anywhere."""
    if isinstance(value, Pairs):
        return any(lone_surrogates(key) or lone_surrogates(member) for key, member in value)
    if isinstance(value, list):
        return any(map(lone_surrogates, value))
    return isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value)


def failure_of(error, text):
    """The class of failure behind what json says."""
    message = error.msg
    if message.startswith("Invalid control character"):
        return "control-character"
    if message.startswith("Invalid \\"):
        return "unexpected-end" if cut_in_escape(text, error.pos) else "invalid-escape"
    if message.startswith("Unterminated string") or not text[error.pos :].strip(" \t\r\n"):
        return "unexpected-end"
    word = re.match("-?[A-Za-z]*$", text[error.pos :])
    if word and any(literal.startswith(word[0]) for literal in ("null", "true", "false", "-")):
        return "unexpected-end"
    return "syntax"


def cut_in_escape(text, position):
    return re.match(r"\\?u?[0-9A-Fa-f]{0,3}$", text[position:]) is not None


def number_goes_on(rest):
    """The class of failure where something that belongs to a number makes it none."""
    if re.fullmatch(r"\.|(\.[0-9]+)?[eE][+-]?", rest):
        return "unexpected-end"
    return "syntax" if rest[0] in "0123456789.eE+-" else "trailing-bytes"


def loads(
    text,
    number=strict_number,
    members=refuse_duplicates,
    constant=refuse_constant,
    strict=True,
    trailing=False,
):
    """A value; members as Pairs, numbers as Number."""
    decoder = json.JSONDecoder(
        object_pairs_hook=members,
        parse_int=number,
        parse_float=number,
        parse_constant=constant,
        strict=strict,
    )
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if any(kind == "word" and re.match("-?0[0-9]", word) for kind, word in tokens_of(text)):
        raise Bad("syntax")
    try:
        value, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise Bad(failure_of(error, text)) from None
    if isinstance(value, Number) and re.match("[A-Za-z0-9.+-]", text[end:]):
        raise Bad(number_goes_on(text[end:]))
    if not trailing and text[end:].strip(" \t\r\n"):
        raise Bad("trailing-bytes")
    return value


def read(raw, **hooks):
    """A value, read from bytes as strictly as the hooks allow."""
    value = loads(decode(raw), **hooks)
    if lone_surrogates(value):
        raise Bad("lone-surrogate")
    return value


def depth(value):
    if isinstance(value, Pairs):
        return 1 + max((depth(member) for _, member in value), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


# Beyond the grammar: the text is cut into tokens, and what JSON does not have is turned into what it has.

TOKENS = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<single>'(?:[^'\\]|\\.)*')"""
    r"""|(?P<word>[A-Za-z0-9_$+.-]+)|(?P<space>[ \t\r\n]+)|(?P<other>.)""",
    re.DOTALL,
)


def tokens_of(text):
    return [(match.lastgroup, match[0]) for match in TOKENS.finditer(text)]


def rewritten(text, change):
    tokens = tokens_of(text)
    return "".join(change(tokens, i) for i in range(len(tokens)))


def significant(tokens, i, step):
    """The next token that is no space, in one direction."""
    i += step
    while 0 <= i < len(tokens) and tokens[i][0] in ("space", "comment"):
        i += step
    return tokens[i][1] if 0 <= i < len(tokens) else ""


def without_comments(tokens, i):
    return " " if tokens[i][0] == "comment" else tokens[i][1]


def without_trailing_commas(tokens, i):
    text = tokens[i][1]
    closes = significant(tokens, i, 1) in ("]", "}")
    return (
        "" if text == "," and closes and significant(tokens, i, -1) not in ("", "[", "{", ",", ":") else text
    )


def with_double_quotes(tokens, i):
    kind, text = tokens[i]
    if kind != "single":
        return text
    return '"' + text[1:-1].replace('"', '\\"').replace("\\'", "'") + '"'


def with_quoted_keys(tokens, i):
    kind, text = tokens[i]
    is_key = kind == "word" and significant(tokens, i, 1) == ":" and significant(tokens, i, -1) in ("{", ",")
    return f'"{text}"' if is_key and re.fullmatch("[A-Za-z0-9_$]+", text) else text


def without_leading_zeros(tokens, i):
    return re.sub(r"^(-?)0+(?=\d)", r"\1", tokens[i][1]) if tokens[i][0] == "word" else tokens[i][1]


def without_plus(tokens, i):
    return re.sub(r"^\+", "", tokens[i][1]) if tokens[i][0] == "word" else tokens[i][1]


def without_wide_space(tokens, i):
    kind, text = tokens[i]
    return " " if kind == "other" and text in "\v\f\u00a0\u2028\u2029" else text


def without_hexadecimal(tokens, i):
    kind, text = tokens[i]
    is_number = kind == "word" and re.fullmatch("0x[0-9A-Fa-f]{1,8}", text)
    return str(int(text, 16)) if is_number else text


def with_known_escapes(tokens, i):
    if tokens[i][0] != "string":
        return tokens[i][1]
    return re.sub(
        r'\\([^"\\/bfnrtu])', lambda escape: json.dumps(escape[1])[1:-1], tokens[i][1], flags=re.DOTALL
    )


def with_lower_literals(tokens, i):
    kind, text = tokens[i]
    return text.lower() if kind == "word" and text.lower() in ("true", "false", "null") else text
