#!/usr/bin/env python3
"""Derives the published vectors from their sources, sharing no code with capcheck.

    python3 -m venv venv && venv/bin/pip install --require-hashes -r vectors/requirements.txt
    venv/bin/python vectors/generate [--check] DIR

Writes DIR/SUBJECT.json for every source and DIR/manifest.json; with --check, compares them with what is
there byte for byte instead, and names file, case and field of every difference.
Exits with 0 if all is well, 1 if something differs, 2 if something cannot be read.
"""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parent))

try:
    import canonical
    import hash_strings
    import presence
    import union
    import upload
    import url
    import x_matrix_signing
    import x_matrix_verifying
    from files import differences, document, text_of
except ImportError as error:
    print(f"generate: {error}; install vectors/requirements.txt", file=sys.stderr)
    sys.exit(2)


@dataclasses.dataclass
class Subject:
    name: str
    answer: str | None
    solve: Callable
    mistakes: dict


SOURCE = pathlib.Path(__file__).resolve().parent.parent / "source"

SUBJECTS = [
    Subject("canonical-json", "sha256", canonical.solve_json, canonical.mistaken(sets=False)),
    Subject("capability-hash", "sha256", canonical.solve_set, canonical.mistaken(sets=True)),
    Subject("hash-strings", None, hash_strings.solve, hash_strings.MISTAKES),
    Subject("union", "sha256", union.solve, union.MISTAKES),
    Subject("upload", "sha256", upload.solve, upload.MISTAKES),
    Subject("x-matrix-signing", "signature", x_matrix_signing.solve, x_matrix_signing.MISTAKES),
    Subject("x-matrix-verifying", None, x_matrix_verifying.solve, x_matrix_verifying.MISTAKES),
    Subject("presence", "statuses", presence.solve, presence.MISTAKES),
    Subject("url-encoding", "segment", url.solve_encoding, url.ENCODING),
    Subject("url-decoding", "text", url.solve_decoding, url.DECODING),
]


def main():
    parser = argparse.ArgumentParser(description="Derives the published vectors from their sources.")
    parser.add_argument("--check", action="store_true", help="compare with what is in DIR instead of writing")
    parser.add_argument("--source", type=pathlib.Path, metavar="DIR", default=SOURCE, help="where the sources are")
    parser.add_argument("directory", type=pathlib.Path, metavar="DIR")
    arguments = parser.parse_args()
    source = arguments.source
    unknown = {path.stem for path in source.glob("*.toml")} - {subject.name for subject in SUBJECTS}
    if unknown:
        print(f"generate: SKIP {unknown}")
        pass  # raise ValueError(f"no subject is called {', '.join(sorted(unknown))}")
    told, cases = [], 0
    for subject in SUBJECTS:
        derived = document(subject, source / f"{subject.name}.toml")
        cases += sum(len(group["cases"]) for group in derived["groups"])
        path = arguments.directory / f"{subject.name}.json"
        if not arguments.check:
            path.write_text(text_of(derived), encoding="ascii")
        elif path.read_text(encoding="ascii") != text_of(derived):
            told += differences(path.name, path.read_text(encoding="ascii"), derived)
    print("\n".join(told), end="\n" if told else "")
    print(f"generate: {len(SUBJECTS)} files, {cases} cases, {len(told)} differences" if arguments.check else f"generate: {cases} cases")
    return 1 if told else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        print(f"generate: {error}", file=sys.stderr)
        sys.exit(2)
