"""The manifest: the digest of every published file, and of every case in it."""

import hashlib
import pathlib
import tomllib

from canonicaljson import encode_canonical_json

from files import SCHEMA_VERSION, text_of

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def digest(data):
    return hashlib.sha256(data).hexdigest()


def requirements():
    """The revision of the requirements, and the digest over the Canonical JSON of their rows."""
    table = tomllib.loads((ROOT / "src/spec/requirements.toml").read_text(encoding="utf-8"))
    rows = [{"sentences": [], "source": None} | row for row in table["requirement"]]
    return {"revision": table["revision"], "sha256": digest(encode_canonical_json(rows))}


def case_digest(case):
    """Over what a program sees of a case and is judged by: it never changes."""
    frozen = ("id", "input", "result", "failure", "expected", "also")
    return digest(encode_canonical_json({key: case[key] for key in frozen if key in case}))


def entry(file, data, document=None):
    described = {"file": file, "sha256": digest(data), "bytes": len(data)}
    if document is not None:
        cases = (case for group in document["groups"] for case in group["cases"])
        described["cases"] = {case["id"]: case_digest(case) for case in cases}
    return described


def manifest(directory, documents):
    """The manifest of the documents that are derived here, and of whatever else is published beside them."""
    entries = [entry(file, text_of(document).encode(), document) for file, document in documents.items()]
    for path in directory.rglob("*.json"):
        file = path.relative_to(directory).as_posix()
        if file not in documents and file != "manifest.json" and not file.startswith("released/"):
            entries.append(entry(file, path.read_bytes()))
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    return {
        "suite": "capcheck",
        "version": version,
        "generator": f"capcheck {version}",
        "schema_version": SCHEMA_VERSION,
        "requirements": requirements(),
        "files": sorted(entries, key=lambda each: each["file"]),
    }
