"""The Authorization header of a federation request: RFC 9110, sections 5.6 and 11.4, and X-Matrix."""

import dataclasses
import re

from common import Bad

KNOWN = ("origin", "destination", "key", "sig", "signature")

TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# Control characters stand nowhere, but for the tab.
QUOTED = r'(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*'
# Values without quotes: tokens, colons as Matrix allows them, and what nothing allows and nobody confuses.
BARE = r"[!#$%&'*+.^_`|~0-9A-Za-z:/\[\]=-]+"
BEYOND_GRAMMAR = re.compile(r"[/\[\]=]")

PARAMETER = re.compile(
    f'(?P<name>{TOKEN})(?P<equals>[ \t]*=[ \t]*)(?:"(?P<quoted>{QUOTED})"|(?P<bare>{BARE}))'
)
SEPARATOR = re.compile("[ \t,]*")


@dataclasses.dataclass
class Parameter:
    name: str
    """In lower case."""
    spelled: str
    equals: str
    quoted: str | None
    """What stands between the quotes, with its backslashes."""
    bare: str | None

    @property
    def value(self):
        return self.bare if self.quoted is None else re.sub(r"\\(.)", r"\1", self.quoted, flags=re.DOTALL)


@dataclasses.dataclass
class Header:
    scheme: str
    parameters: list
    gaps: list
    """What stands before the first parameter, between two, and after the last."""

    def values(self, name):
        return [parameter.value for parameter in self.parameters if parameter.name == name]


def parse(text, separates=lambda gap: "," in gap):
    """The header; Bad where it is no list of parameters."""
    scheme, rest = re.fullmatch("([^ ]*)(.*)", text, re.DOTALL).groups()
    parameters, gaps = [], [SEPARATOR.match(rest)[0]]
    at = len(gaps[0])
    while at < len(rest):
        match = PARAMETER.match(rest, at)
        if match is None or (parameters and not separates(gaps[-1])):
            raise Bad("syntax")
        name = match["name"]
        parameters.append(Parameter(name.lower(), name, match["equals"], match["quoted"], match["bare"]))
        gaps.append(SEPARATOR.match(rest, match.end())[0])
        at = match.end() + len(gaps[-1])
    return Header(scheme, parameters, gaps)
