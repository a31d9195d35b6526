"""That --check finds what it is there to find: `python vectors/generate/tests.py`."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent / "source"


def generate(*arguments):
    return subprocess.run([sys.executable, HERE, *arguments], capture_output=True, text=True)


class Check(unittest.TestCase):
    """Each test alters one published file, or one source."""

    @classmethod
    def setUpClass(cls):
        cls.generated = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        shutil.copytree(HERE.parent, cls.generated, dirs_exist_ok=True)
        assert generate(cls.generated).returncode == 0

    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copytree(self.generated, self.directory, dirs_exist_ok=True)

    def check(self, *arguments):
        return generate("--check", *arguments, self.directory)

    def altered(self, file, alter):
        """What --check tells once a file has been altered."""
        path = self.directory / file
        document = json.loads(path.read_text())
        alter(document)
        path.write_text(json.dumps(document, indent=2) + "\n")
        checked = self.check()
        self.assertEqual(checked.returncode, 1, checked)
        return checked.stdout.splitlines()[:-1]

    def test_that_nothing_differs_from_what_was_generated(self):
        checked = self.check()
        self.assertEqual(checked.returncode, 0, checked)

    def test_an_altered_answer(self):
        def alter(document):
            document["groups"][0]["cases"][0]["expected"]["sha256"] = "x"

        (told,) = self.altered("canonical-json.json", alter)
        self.assertIn("canonical.null: expected: sha256: the file has 'x', Python has 'dCNOmK/n", told)

    def test_an_altered_wrong_answer(self):
        def alter(document):
            case = next(case for group in document["groups"] for case in group["cases"] if "wrong" in case)
            self.changed = case["id"], next(iter(case["wrong"]))
            case["wrong"][self.changed[1]] = "x"

        (told,) = self.altered("union.json", alter)
        self.assertIn(f"{self.changed[0]}: wrong: {self.changed[1]}: the file has 'x', Python has", told)

    def test_a_missing_case(self):
        (told,) = self.altered("presence.json", lambda document: document["groups"][0]["cases"].pop(0))
        self.assertIn("presence.single-login: a source has it and not the file", told)

    def test_an_added_case(self):
        def alter(document):
            cases = document["groups"][0]["cases"]
            cases.append(cases[0] | {"id": "hash.by-hand"})

        (told,) = self.altered("hash-strings.json", alter)
        self.assertIn("hash.by-hand: the file has it and no source", told)

    def test_a_case_that_is_there_twice(self):
        def alter(document):
            cases = document["groups"][0]["cases"]
            cases.append(cases[0])

        (told,) = self.altered("hash-strings.json", alter)
        self.assertIn("twice, or without a name: hash.empty-set", told)

    def test_cases_in_another_order(self):
        (told,) = self.altered("upload.json", lambda document: document["groups"].reverse())
        self.assertIn("upload.json: the order is ['free', ", told)

    def test_an_altered_schema(self):
        told = self.altered("schemas/union.schema.json", lambda document: document.update({"title": "x"}))
        self.assertTrue(all("manifest.json: schemas/union.schema.json" in line for line in told), told)

    def test_the_same_values_written_otherwise(self):
        path = self.directory / "url-encoding.json"
        path.write_text(json.dumps(json.loads(path.read_text())))
        self.assertIn("url-encoding.json: the same values, written otherwise", self.check().stdout)

    def test_a_truncated_file(self):
        path = self.directory / "upload.json"
        path.write_text(path.read_text()[:-3])
        checked = self.check()
        self.assertEqual(checked.returncode, 2, checked)
        self.assertIn("upload.json: ", checked.stderr)

    def test_sources_that_cannot_be_followed(self):
        source = self.directory / "source"
        url = source / "url-encoding.toml"
        text = url.read_text()
        for path, altered, named in (
            (source / "shoe-sizes.toml", "", "shoe-sizes"),
            (
                url,
                text.replace("[mistakes]", '[mistakes]\nfrenchified = "in French"'),
                "nothing here makes frenchified",
            ),
            (
                url,
                "".join(line for line in text.splitlines(True) if not line.startswith("trimmed = ")),
                "trimmed",
            ),
            (url, "notes = 1", "a source lacks"),
            (url, "[", "url-encoding.toml"),
        ):
            path.write_text(altered)
            checked = self.check("--source", source)
            self.assertEqual(checked.returncode, 2, checked)
            self.assertIn(named, checked.stderr)
            path.write_text(text) if path == url else path.unlink()


if __name__ == "__main__":
    unittest.main()
