"""The subjects, and all files that are made of them."""

import dataclasses
from collections.abc import Callable

import canonical
import canonical_mistakes
import hash_strings
import presence
import presence_mistakes
import union
import upload
import url
import x_matrix_signing
import x_matrix_verifying
from compare import differences
from files import check_mistakes, document, sources, text_of
from manifest import manifest


@dataclasses.dataclass
class Subject:
    name: str
    answer: str | None
    """The field of `expected` that a program answers with."""
    solve: Callable
    """What is to be made of an input."""
    mistakes: dict
    """By name, what a program answers that makes it: None where it cannot be made on an input."""
    table: dict | None = None
    """Of mistakes that several subjects share."""


def shared(name, solve, sets):
    return Subject(name, "sha256", solve, canonical_mistakes.mistaken(sets), canonical_mistakes.MISTAKES)


SUBJECTS = [
    shared("canonical-json", canonical.solve_json, sets=False),
    shared("capability-hash", canonical.solve_set, sets=True),
    Subject("hash-strings", None, hash_strings.solve, hash_strings.MISTAKES),
    Subject("union", "sha256", union.solve, union.MISTAKES),
    Subject("upload", "sha256", upload.solve, upload.MISTAKES),
    Subject("x-matrix-signing", "signature", x_matrix_signing.solve, x_matrix_signing.MISTAKES),
    Subject("x-matrix-verifying", None, x_matrix_verifying.solve, x_matrix_verifying.MISTAKES),
    Subject("presence", "statuses", presence.solve, presence_mistakes.MISTAKES),
    Subject("url-encoding", "segment", url.solve_encoding, url.ENCODING),
    Subject("url-decoding", "text", url.solve_decoding, url.DECODING),
]


def generate(source, directory, check):
    """Writes or compares all files. Answers with their number, that of the cases, and the differences."""
    read = sources(SUBJECTS, source)
    check_mistakes(SUBJECTS, read)
    derived = {f"{subject.name}.json": document(subject, read[subject.name]) for subject in SUBJECTS}
    if not check:
        for file, value in derived.items():
            (directory / file).write_text(text_of(value), encoding="ascii")
    cases = sum(len(group["cases"]) for value in derived.values() for group in value["groups"])
    derived["manifest.json"] = manifest(directory, derived)
    if not check:
        (directory / "manifest.json").write_text(text_of(derived["manifest.json"]), encoding="ascii")
    told = [line for file, value in derived.items() for line in differences(directory / file, value)]
    return len(derived), cases, told
