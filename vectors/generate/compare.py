"""What differs between a published file and what is derived here."""

import json

from files import text_of

CONTAINERS = ("groups", "cases", "files")
"""Lists whose items are told by their names, and of which a reader needs no name."""


def differences(path, ours):
    """Every difference, by file, case and field."""
    text = path.read_text(encoding="ascii")
    if text == text_of(ours):
        return []
    try:
        theirs = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return list(within([path.name], theirs, ours)) or [f"{path.name}: the same values, written otherwise"]


def identity(item):
    return next((item[key] for key in ("id", "file", "name") if isinstance(item, dict) and key in item), None)


def by_identity(items):
    """The items by their names; None where they have none, or two have the same."""
    named = {identity(item): item for item in items}
    return named if None not in named and len(named) == len(items) else None


def within(place, theirs, ours):
    """Every difference between two values."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        yield from members(place, theirs, ours)
    elif place[-1] in CONTAINERS and isinstance(theirs, list):
        place = place[:-1]
        one, other = by_identity(theirs), by_identity(ours)
        if one is None:
            ids = [identity(item) for item in theirs]
            twice = sorted({str(name) for name in ids if ids.count(name) > 1})
            yield f"{': '.join(place)}: twice, or without a name: {', '.join(twice)}"
        else:
            yield from members(place, one, other)
    elif theirs != ours:
        yield f"{': '.join(place)}: the file has {theirs!r}, Python has {ours!r}"


def members(place, theirs, ours):
    for key in sorted(theirs.keys() | ours.keys()):
        at = [*place, str(key)]
        if key in theirs and key in ours:
            yield from within(at, theirs[key], ours[key])
        else:
            value = theirs[key] if key in theirs else ours[key]
            shown = "" if identity(value) else f", {value!r}"
            who = "the file has it and no source" if key in theirs else "a source has it and not the file"
            yield f"{': '.join(at)}: {who}{shown}"
    if theirs.keys() == ours.keys() and list(theirs) != list(ours):
        yield f"{': '.join(place)}: the order is {list(theirs)}, and ought to be {list(ours)}"
