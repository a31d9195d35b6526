"""What every subject speaks of: solutions, mistakes, hashes."""

import base64
import dataclasses
import hashlib

REFUSED = object()
"""The answer of an implementation that refuses."""

TAKEN = "valid"
"""The answer of an implementation that takes an input of which nothing is computed."""


class Bad(Exception):
    """An input that is to be refused, by the class of its failure."""

    def __init__(self, failure):
        super().__init__(failure)
        self.failure = failure


@dataclasses.dataclass
class Solution:
    """What is to be made of an input."""

    result: str
    failure: str | None = None
    expected: dict | None = None
    also: list = dataclasses.field(default_factory=list)


def valid(expected=None):
    return Solution("valid", None, expected)


def invalid(failure):
    return Solution("invalid", failure)


def either(failure, expected=None, also=()):
    return Solution("either", failure, expected, list(also))


def base64_of(data):
    return base64.b64encode(data).decode().rstrip("=")


def hash_of(data):
    """The capability hash of some bytes, or of a text in UTF-8."""
    data = data.encode() if isinstance(data, str) else data
    return base64_of(hashlib.sha256(data).digest())


def ascii_lower(text):
    """The text with A to Z in lower case, and nothing else."""
    return text.encode().lower().decode()


def is_hash(text):
    """Whether a server may write this as a hash."""
    if len(text) != 43 or not text.isascii():
        return False
    try:
        digest = base64.b64decode(text + "=", validate=True)
    except ValueError:
        return False
    return len(digest) == 32 and base64_of(digest) == text


def table():
    """A table of mistakes, and the decorator that adds a row to it under the mistake's name."""
    rows = {}

    def mistake(name):
        def add(function):
            assert name not in rows, name
            rows[name] = function
            return function

        return add

    return rows, mistake
