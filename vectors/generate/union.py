"""union: the hash of the union of several sets."""

import unicodedata

import canonical
from common import hash_of, table, valid
from reading import Pairs, read
from writing import write

MISTAKES, mistake = table()


def sets_of(case):
    return [dict(canonical.as_set(read(text.encode()))) for text in case["sets"]]


def union_of(sets):
    whole = {}
    for each in sets:
        whole.update(each)
    return whole


def hash_of_set(value):
    return hash_of(write(Pairs(value.items())))


def solve(case):
    return valid(canonical.hashed(Pairs(union_of(sets_of(case)).items())))


def of_sets(name):
    """A mistake that takes another set for the union."""
    return lambda function: mistake(name)(lambda case: hash_of_set(function(sets_of(case))))


def named(keeps):
    def kept(sets):
        whole = union_of(sets)
        return {name: whole[name] for name in whole if keeps(sum(name in each for each in sets), len(sets))}

    return kept


def after_last_empty(sets):
    last = max((i for i, each in enumerate(sets) if not each), default=-1)
    return union_of(sets[last + 1 :])


def collated(sets):
    whole, kept = union_of(sets), {}
    for name in (name for each in sets for name in sorted(each)):
        kept.setdefault(unicodedata.normalize("NFC", name).lower(), name)
    return {name: whole[name] for name in kept.values()}


of_sets("by-name-only")(lambda sets: {name: Pairs() for name in union_of(sets)})
of_sets("first-only")(lambda sets: sets[0] if sets else {})
of_sets("last-only")(lambda sets: sets[-1] if sets else {})
of_sets("largest-only")(lambda sets: max(sets, key=len, default={}))
of_sets("first-two-only")(lambda sets: union_of(sets[:2]))
of_sets("first-eight-only")(lambda sets: union_of(sets[:8]))
of_sets("intersection")(named(lambda have, all_: have == all_))
of_sets("symmetric-difference")(named(lambda have, _all: have % 2 == 1))
of_sets("collated")(collated)
of_sets("empty-set-clears")(after_last_empty)
