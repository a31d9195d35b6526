"""Validates every published file against its schema, with a validator that is not ours.

Usage: python3 vectors/validate.py [DIRECTORY]; needs what requirements.txt pins.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator


def errors(directory):
    """A line for each place where a schema is none, a file is not as its schema says, or has none."""
    schemas = {}
    for path in sorted((directory / "schemas").glob("*.schema.json")):
        schemas[path.name] = json.loads(path.read_text())
        Draft202012Validator.check_schema(schemas[path.name])
    files = sorted(directory.glob("*.json")) + sorted((directory / "released").glob("*.json"))
    for path in files:
        released = path.parent != directory
        name = "manifest" if released else path.stem
        document = json.loads(path.read_text())
        schema = schemas.get(f"{name}.schema.json")
        if schema is None:
            yield f"{path}: there is no schemas/{name}.schema.json"
            continue
        for error in Draft202012Validator(schema).iter_errors(document):
            yield f"{path}: {error.json_path}: {error.message}"
    for name in schemas.keys() - {f"{path.stem}.schema.json" for path in files}:
        yield f"{directory / 'schemas' / name}: no file has this schema"
    if not files:
        yield f"{directory}: no files"


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    found = list(errors(directory))
    print("\n".join(found) if found else f"{directory}: every file is as its schema says")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
