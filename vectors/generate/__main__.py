#!/usr/bin/env python3
"""Derives the published vectors from their sources, sharing no code with capcheck.

    python3 -m venv venv && venv/bin/pip install --require-hashes -r vectors/requirements.txt
    venv/bin/python vectors/generate [--check] [--source DIR] DIR

Writes DIR/SUBJECT.json for every source and DIR/manifest.json, which also speaks of the exchanges and the
schemas that are in DIR. With --check, compares all of them byte for byte with what is in DIR instead, and
names file, case and field of every difference.
Exits with 0 if all is well, 1 if something differs, 2 if something cannot be read.
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

try:
    from subjects import generate
except ImportError as error:
    print(f"generate: {error}; install vectors/requirements.txt", file=sys.stderr)
    sys.exit(2)


def main():
    parser = argparse.ArgumentParser(description="Derives the published vectors from their sources.")
    parser.add_argument("--check", action="store_true", help="compare with what is in DIR instead of writing")
    parser.add_argument("--source", type=pathlib.Path, metavar="DIR", default=HERE.parent / "source")
    parser.add_argument("directory", type=pathlib.Path, metavar="DIR", help="where the published files are")
    arguments = parser.parse_args()
    files, cases, told = generate(arguments.source, arguments.directory, arguments.check)
    for line in told:
        print(line)
    print(f"generate: {files} files, {cases} cases, {len(told)} differences")
    return 1 if told else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as error:
        lacks = "a source lacks " if isinstance(error, KeyError) else ""
        print(f"generate: {lacks}{error}", file=sys.stderr)
        sys.exit(2)
