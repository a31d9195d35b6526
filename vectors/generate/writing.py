"""JSON, written as Canonical JSON or otherwise in one named way."""

import re

from reading import Number, Pairs

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def units(character, digits="04x"):
    """The character as \\u escapes."""
    data = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(data[i : i + 2]):{digits}}" for i in range(0, len(data), 2))


def shortest(character):
    if character in SHORT:
        return SHORT[character]
    # Half a pair has no other form.
    return units(character) if character < " " or "\ud800" <= character <= "\udfff" else character


def escaping(characters):
    """Escapes these characters, too."""
    return lambda character: units(character) if characters(character) else shortest(character)


def by_code_point(members, _depth):
    return sorted(members, key=lambda member: [ord(c) for c in member[0]])


def write(value, order=by_code_point, escape=shortest, gap="", depth=0):
    """The text of a value."""

    def within(part):
        return write(part, order, escape, gap, depth + 1)

    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(map(escape, value)) + '"'
    if isinstance(value, Pairs):
        members = (f"{within(key)}:{gap}{within(member)}" for key, member in order(value, depth))
        return "{" + f",{gap}".join(members) + "}"
    if isinstance(value, list):
        return "[" + f",{gap}".join(map(within, value)) + "]"
    return {None: "null", True: "true", False: "false"}[value]


def as_uploaded(members, _depth):
    return members


def top_only(members, depth):
    return members if depth else by_code_point(members, depth)


def by_utf16(members, _depth):
    return sorted(members, key=lambda member: member[0].encode("utf-16-be"))


def folded(members, _depth):
    return sorted(members, key=lambda member: (member[0].lower(), member[0]))


def integers_first(members, _depth):
    def place(member):
        key = member[0]
        is_index = re.fullmatch("0|[1-9][0-9]*", key) and int(key) <= 2**32 - 2
        return (0, int(key), "") if is_index else (1, 0, key)

    return sorted(members, key=place)


def by_length(members, _depth):
    return sorted(members, key=lambda member: (len(member[0].encode()), member[0]))


def mapped(value, change):
    """The value with every value within it changed first, and then itself."""
    if isinstance(value, Pairs):
        value = Pairs((key, mapped(member, change)) for key, member in value)
    elif isinstance(value, list):
        value = [mapped(item, change) for item in value]
    return change(value)


def without_members(value, drops):
    """The value without such members, at every depth."""

    def keep(value):
        return Pairs(member for member in value if not drops(*member)) if isinstance(value, Pairs) else value

    return mapped(value, keep)


def values_in(value):
    """The value and every value within it, keys too."""
    yield value
    if isinstance(value, Pairs):
        for key, member in value:
            yield key
            yield from values_in(member)
    elif isinstance(value, list):
        for item in value:
            yield from values_in(item)
