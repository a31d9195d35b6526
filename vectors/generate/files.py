"""From sources to published files, and what differs between two of them."""

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
        return [item for element in value for item in (texts(element) or [made(element)])]
    if isinstance(value, dict):
        return {key: made(value[key]) for key in sorted(value)}
    return value


def is_right(subject, solution, answer):
    if answer is REFUSED:
        return solution.result != "valid"
    if solution.result == "invalid":
        return False
    if subject.answer is None:
        return True
    return answer == solution.expected[subject.answer] or answer in solution.also


def derived(subject, flags, source):
    """A published case."""
    given = made(source["input"])
    solution = subject.solve(given)
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


def document(subject, path):
    """The published file of a source."""
    source = tomllib.loads(path.read_text(encoding="utf-8"))
    flags, unmade = source.get("flags", {}), set(source.get("mistakes", {})) - set(subject.mistakes)
    if unmade:
        raise ValueError(f"{path}: nothing here makes {', '.join(sorted(unmade))}")
    groups = []
    for group in source["group"]:
        shown = {key: group[key] for key in ("name", "about")}
        if group.get("requirements"):
            shown["requirements"] = group["requirements"]
        groups.append(shown | {"cases": [derived(subject, flags, case) for case in group["case"]]})
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
        "mistakes": dict(sorted(source.get("mistakes", {}).items())),
        "failures": dict(sorted(source.get("failures", {}).items())),
        "groups": groups,
    }


def text_of(value):
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def cases_of(value):
    return {case["id"]: case for group in value.get("groups", []) for case in group["cases"]}


def differences(file, theirs, ours):
    """Every difference between the text of a published file and what is derived here, by case and field."""
    theirs = json.loads(theirs)
    told, their_cases, our_cases = [], cases_of(theirs), cases_of(ours)
    for case in their_cases.keys() - our_cases.keys():
        told.append(f"{file}: {case}: the file has it, its source does not")
    for case in our_cases.keys() - their_cases.keys():
        told.append(f"{file}: {case}: its source has it, the file does not")
    for case in our_cases.keys() & their_cases.keys():
        told += fields(f"{file}: {case}", their_cases[case], our_cases[case])
    head = lambda value: {key: value[key] for key in value if key != "groups"}
    told += fields(file, head(theirs), head(ours))
    return sorted(told) or [f"{file}: the same values, written otherwise"]


def fields(place, theirs, ours):
    told = []
    for key in sorted(theirs.keys() | ours.keys()):
        one, other = theirs.get(key), ours.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            told += fields(f"{place}: {key}", one, other)
        elif one != other:
            told.append(f"{place}: {key}: the file has {one!r}, Python has {other!r}")
    return told
