"""canonical-json and capability-hash: the mistakes that are made with JSON and its hash."""

import base64
import hashlib
import unicodedata

import reading
import writing
from canonical import DEPTH, as_set, is_set, raw_of, solve_json, solve_set
from common import Bad, REFUSED, base64_of, hash_of, table
from reading import Number, Pairs, is_text, read
from writing import by_code_point, mapped, values_in, without_members, write

MISTAKES, mistake = table()


class Case:
    """An input, and what a mistake needs of it."""

    def __init__(self, raw, canonical, sets):
        self.raw, self.canonical, self.sets = raw, canonical, sets

    def right(self):
        """The value as it is read rightly, or None."""
        return None if self.canonical is None else read(self.canonical.encode(), number=reading.exact_number)

    def uploaded(self):
        """The value with its members as they came, if no key came twice; else as in the canonical text."""
        for raw in (self.raw, (self.canonical or "").encode()):
            try:
                value = read(raw, number=reading.exact_number)
            except Bad:
                continue
            if all(-(2**63) <= int(v) < 2**63 for v in values_in(value) if isinstance(v, Number)):
                return value
        return None

    def set(self):
        """The value, if it is a set without numbers beyond the bounds."""
        try:
            return as_set(read(self.canonical.encode()))
        except Bad:
            return None


def mistaken(sets):
    """For every mistake what it answers to the input of a case."""

    def answers(function):
        def answer(case):
            solve = solve_set if sets else solve_json
            expected = solve(case).expected
            made = Case(raw_of(case), expected and expected["canonical"], sets)
            return function(made)

        return answer

    return {name: answers(function) for name, function in MISTAKES.items()}


# Another text is digested, or the digest is spelled otherwise.


def needs_canonical(function):
    return lambda case: None if case.canonical is None else function(case)


def digest(case):
    return hashlib.sha256(case.canonical.encode()).digest()


def of_text(name, text):
    mistake(name)(needs_canonical(lambda case: None if text(case) is None else hash_of(text(case))))


def spelled(name, spell):
    mistake(name)(needs_canonical(lambda case: spell(digest(case))))


def input_text(case):
    try:
        return case.raw.decode("utf-8")
    except UnicodeDecodeError:
        return case.canonical


def names(case):
    value = case.set()
    return None if value is None else [key for key, _ in by_code_point(value, 0)]


spelled("padded", lambda d: base64.b64encode(d).decode())
spelled("url-safe", lambda d: base64.urlsafe_b64encode(d).decode().rstrip("="))
spelled("url-safe-padded", lambda d: base64.urlsafe_b64encode(d).decode())
spelled("hex", lambda d: d.hex())
spelled("base64-of-hex", lambda d: base64_of(d.hex().encode()))
of_text("as-uploaded", input_text)
of_text("composed", lambda case: unicodedata.normalize("NFC", case.canonical))
of_text("decomposed", lambda case: unicodedata.normalize("NFD", case.canonical))
of_text("compatibility-composed", lambda case: unicodedata.normalize("NFKC", case.canonical))
of_text("trailing-newline", lambda case: case.canonical + "\n")
of_text("quoted", lambda case: write(case.canonical))
of_text("wrapped", lambda case: '{"capabilities":' + case.canonical + "}")
of_text("names-only", lambda case: write(names(case)) if names(case) is not None else None)
of_text("names-joined", lambda case: ",".join(names(case)) if names(case) is not None else None)
of_text("cesu-8", lambda case: case.canonical.translate(Surrogates()).encode("utf-8", "surrogatepass"))


class Surrogates(dict):
    """Every character beyond U+FFFF to its two surrogates."""

    def __missing__(self, point):
        if point <= 0xFFFF:
            return point
        point -= 0x10000
        return chr(0xD800 + (point >> 10)) + chr(0xDC00 + (point & 0x3FF))


# The value is written in another style.


def styled(name, **style):
    @mistake(name)
    @needs_canonical
    def answer(case):
        value = case.uploaded()
        return None if value is None else hash_of(write(value, **style))


styled("unsorted", order=writing.as_uploaded)
styled("unsorted-nested", order=writing.top_only)
styled("utf16-order", order=writing.by_utf16)
styled("folded-order", order=writing.folded)
styled("integer-keys-first", order=writing.integers_first)
styled("length-order", order=writing.by_length)
styled("spaced", gap=" ")
styled("escaped-non-ascii", escape=writing.escaping(lambda c: c > "\x7e"))
styled("escaped-slash", escape=lambda c: "\\/" if c == "/" else writing.shortest(c))
styled("escaped-html", escape=writing.escaping(lambda c: c in "<>&\u2028\u2029"))
styled("escaped-del", escape=writing.escaping(lambda c: c == "\x7f"))
styled("long-escapes", escape=writing.escaping(lambda c: c in "\b\t\n\f\r"))
styled(
    "upper-case-escapes",
    escape=lambda c: writing.units(c, "04X") if c < " " and c not in writing.SHORT else writing.shortest(c),
)
styled("unescaped", escape=lambda c: c)

# The value is changed on its way, or refused.


def changed(name, change):
    mistake(name)(needs_canonical(lambda case: hash_of(write(change(case.right())))))


def refused(name, refuses):
    mistake(name)(needs_canonical(lambda case: REFUSED if refuses(case.right()) else None))


def to_nul(value):
    if isinstance(value, Pairs):
        return Pairs((to_nul(key), member) for key, member in value)
    return value.split("\0")[0] if is_text(value) else value


def numbers(change):
    return lambda value: mapped(value, lambda v: Number(change(int(v))) if isinstance(v, Number) else v)


def with_exponent(n):
    try:
        return n if -(2**63) <= n < 2**63 else repr(float(n))
    except OverflowError:
        return n


def strings_in(value):
    return (v for v in values_in(value) if is_text(v))


changed("nulls-dropped", lambda value: without_members(value, lambda _key, member: member is None))
changed("empty-key-dropped", lambda value: without_members(value, lambda key, _: key == ""))
changed("proto-dropped", lambda value: without_members(value, lambda key, _: key == "__proto__"))
changed(
    "empty-object-as-array",
    lambda value: mapped(value, lambda v: [] if isinstance(v, Pairs) and not v else v),
)
changed("nul-ends-string", lambda value: mapped(value, to_nul))
changed("integer-wrapped", numbers(lambda n: (n + 2**31) % 2**32 - 2**31))
changed("integer-as-float", numbers(lambda n: f"{n}.0"))
changed("integer-saturated", numbers(lambda n: max(-(2**63), min(n, 2**63 - 1))))
changed("integer-with-exponent", numbers(with_exponent))
refused("depth-refused", lambda value: reading.depth(value) >= DEPTH)
refused("non-bmp-refused", lambda value: any(max(text, default="") > "\uffff" for text in strings_in(value)))
refused(
    "empty-key-refused", lambda value: any(isinstance(v, Pairs) and "" in dict(v) for v in values_in(value))
)
refused(
    "large-integer-refused",
    lambda value: any(not -(2**31) <= int(v) < 2**31 for v in values_in(value) if isinstance(v, Number)),
)

# What must be refused is read.


def lenient(name, reader):
    @mistake(name)
    def answer(case):
        try:
            value = reader(case.raw)
        except Bad:
            return None
        return None if case.sets and not is_set(value) else hash_of(write(value))


def rewriting(name, change):
    lenient(name, lambda raw: read(reading.rewritten(reading.decode(raw), change).encode()))


def as_python(spelled):
    if spelled.lstrip("-").isdigit():
        return Number(int(spelled))
    number = float(spelled)
    if number != 0 and not 1e-4 <= abs(number) < 1e16:
        raise Bad("float")
    return Number(repr(number))


def truncated(spelled):
    try:
        return reading.bounded(int(spelled) if spelled.lstrip("-").isdigit() else int(float(spelled)))
    except OverflowError:
        raise Bad("float") from None


def surrogates_in(raw, change):
    """The value with what is left of halves changed."""
    value = reading.loads(reading.decode(raw))

    def text(value):
        return "".join(change(c) if "\ud800" <= c <= "\udfff" else c for c in value)

    def each(value):
        if isinstance(value, Pairs):
            return Pairs((text(key), member) for key, member in value)
        return text(value) if is_text(value) else value

    return mapped(value, each)


def utf_16(raw):
    little = raw[:2] == b"\xff\xfe" or raw[1:2] == b"\0"
    big = raw[:2] == b"\xfe\xff" or raw[:1] == b"\0"
    if not (little or big):
        raise Bad("syntax")
    try:
        return read(raw.decode("utf-16-le" if little else "utf-16-be").removeprefix("\ufeff").encode())
    except UnicodeDecodeError:
        raise Bad("utf-16") from None


lenient("float-kept", lambda raw: read(raw, number=as_python))
lenient("through-double", lambda raw: read(raw, number=reading.as_double))
lenient("number-as-spelled", lambda raw: read(raw, number=Number))
lenient("float-truncated", lambda raw: read(raw, number=truncated))
lenient("duplicates-merged", lambda raw: read(raw, members=reading.merged))
lenient("duplicates-kept", lambda raw: read(raw, members=Pairs))
lenient("surrogate-replaced", lambda raw: surrogates_in(raw, lambda _: "\ufffd"))
lenient("surrogate-escaped", lambda raw: surrogates_in(raw, lambda c: c))
lenient("utf8-replaced", lambda raw: read(raw.decode("utf-8", "replace").encode()))
lenient("latin-1", lambda raw: read(raw.decode("latin-1").encode()))
lenient("utf-16-taken", utf_16)
lenient("control-taken", lambda raw: read(raw, strict=False))
lenient("trailing-ignored", lambda raw: read(raw, trailing=True))
lenient("nan-taken", lambda raw: read(raw, constant=Number))
rewriting("comments-taken", reading.without_comments)
rewriting("trailing-comma-taken", reading.without_trailing_commas)
rewriting("single-quotes-taken", reading.with_double_quotes)
rewriting("bare-keys-taken", reading.with_quoted_keys)
rewriting("leading-zero-taken", reading.without_leading_zeros)
rewriting("plus-taken", reading.without_plus)
rewriting("unknown-escape-taken", reading.with_known_escapes)
lenient("nothing-taken", lambda raw: read(raw) if raw.strip(b" \t\r\n") else Pairs())
rewriting("white-space-taken", reading.without_wide_space)
rewriting("hexadecimal-taken", reading.without_hexadecimal)
rewriting("any-case-literals-taken", reading.with_lower_literals)

# What is no set is taken for one.


def shaped(name, shape):
    @mistake(name)
    def answer(case):
        if not case.sets:
            return None
        try:
            return hash_of(write(shape(read(case.raw))))
        except Bad:
            return None


def listed(value):
    is_list = isinstance(value, list) and not isinstance(value, Pairs)
    if not is_list or not all(map(is_text, value)):
        raise Bad("not-an-object")
    return Pairs((name, Pairs()) for name in value)


def emptied(value):
    if not isinstance(value, Pairs):
        raise Bad("not-an-object")
    return Pairs((key, member if isinstance(member, Pairs) else Pairs()) for key, member in value)


shaped("any-json-taken", lambda value: value)
shaped("list-taken", listed)
shaped("values-emptied", emptied)
