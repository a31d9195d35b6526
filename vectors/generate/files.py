"""From sources to published files."""

import json
import tomllib

from common import REFUSED

SCHEMA_VERSION = 2


def texts(value):
    """The texts that a made text stands for, or None where it is none."""
    if not isinstance(value, dict):
        return None
    if value.keys() == {"repeat", "times"}:
        return [value["repeat"] * value["times"]]
    if value.keys() == {"series", "from", "to"}:
        return [value["series"].replace("#", str(n)) for n in range(value["from"], value["to"] + 1)]
    if value.keys() == {"concat"}:
        return ["".join(part if isinstance(part, str) else ",".join(texts(part)) for part in value["concat"])]
    return None


def made(value):
    """The input with every made text put in place, and keys sorted at every depth."""
    stands_for = texts(value)
    if stands_for is not None:
        return ",".join(stands_for)
    if isinstance(value, list):
        return [item for element in value for item in elements(element)]
    if isinstance(value, dict):
        return {key: made(value[key]) for key in sorted(value)}
    return value


def elements(value):
    """The elements of a list that one element of the source stands for."""
    stands_for = texts(value)
    return [made(value)] if stands_for is None else stands_for


def is_right(subject, solution, answer):
    if answer is REFUSED:
        return solution.result != "valid"
    if solution.result == "invalid":
        return False
    if subject.answer is None:
        return True
    return answer == solution.expected[subject.answer] or answer in solution.also


def derived(subject, document, source):
    """A published case."""
    flags = document.get("flags", {})
    given = made(source["input"])
    solution = subject.solve(given)
    if solution.failure is not None and solution.failure not in document["failures"]:
        raise ValueError(f"{source['id']}: no failure is called {solution.failure}")
    wrong = {}
    for mistake in (m for flag in source.get("flags", []) for m in flags[flag].get("shows", [])):
        answer = subject.mistakes[mistake](given)
        if answer is not None and not is_right(subject, solution, answer):
            wrong[mistake] = "invalid" if answer is REFUSED else answer
    case = {
        "id": source["id"],
        "comment": source["comment"],
        "flags": source.get("flags", []),
        "rule": source.get("rule"),
        "input": given,
        "result": solution.result,
        "failure": solution.failure,
        "expected": solution.expected and {key: solution.expected[key] for key in sorted(solution.expected)},
        "also": solution.also or None,
        "wrong": {mistake: wrong[mistake] for mistake in sorted(wrong)} or None,
        "superseded_by": source.get("superseded_by"),
    }
    return {key: value for key, value in case.items() if value is not None}


def published_flag(flag):
    shown = {key: flag[key] for key in ("bug_type", "effect", "reference")}
    if flag.get("requirements"):
        shown["requirements"] = flag["requirements"]
    shown["shows"] = sorted(flag.get("shows", []))
    shown["level"] = flag.get("level", "must")
    return shown | ({"freedom": True} if flag.get("freedom") else {})


def sources(subjects, directory):
    """What people wrote, by subject."""
    unknown = {path.stem for path in directory.glob("*.toml")} - {subject.name for subject in subjects}
    if unknown:
        raise ValueError(f"{directory}: no subject is called {', '.join(sorted(unknown))}")
    return {subject.name: read_source(directory / f"{subject.name}.toml") for subject in subjects}


def read_source(path):
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def check_mistakes(subjects, read):
    """Every mistake of a source is made here, and every one that is made here is one of a source."""
    for subject in subjects:
        named = set(read[subject.name]["mistakes"])
        shown = {m for flag in read[subject.name].get("flags", {}).values() for m in flag.get("shows", [])}
        sharing = [s for s in subjects if s is subject or (s.table and s.table is subject.table)]
        in_sources = {m for each in sharing for m in read[each.name]["mistakes"]}
        for mistakes, what in (
            (named - set(subject.mistakes), "nothing here makes"),
            (shown - named, "a flag shows without a phrase"),
            (set(subject.mistakes) - in_sources, "no source names"),
        ):
            if mistakes:
                raise ValueError(f"{subject.name}: {what} {', '.join(sorted(mistakes))}")


def document(subject, source):
    """The published file of a source."""
    flags = source.get("flags", {})
    groups = []
    for group in source["group"]:
        shown = {key: group[key] for key in ("name", "about")}
        if group.get("requirements"):
            shown["requirements"] = group["requirements"]
        groups.append(shown | {"cases": [derived(subject, source, case) for case in group["case"]]})
    head = {
        "subject": subject.name,
        "schema": f"schemas/{subject.name}.schema.json",
        "schema_version": SCHEMA_VERSION,
        **{key: source[key] for key in ("algorithm", "source", "notes")},
    }
    if subject.answer:
        head["answer"] = subject.answer
    return head | {
        "flags": {name: published_flag(flags[name]) for name in sorted(flags)},
        "mistakes": dict(sorted(source["mistakes"].items())),
        "failures": dict(sorted(source["failures"].items())),
        "groups": groups,
    }


def text_of(value):
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
