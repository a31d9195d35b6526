use super::*;

/// A table that keeps every rule; each test below breaks one.
const GOOD: &str = r#"
revision = "2014-12-31.1"
[[sentence]]
id = "C1"
text = "e.g. VoIP"
excluded = "an example"

[[sentence]]
id = "C6"
text = "refused"

[[requirement]]
id = "upload.refuse-unknown"
level = "must"
basis = "draft"
sentences = ["C6"]
text = "refused"

[[requirement]]
id = "upload.status-404"
level = "should"
basis = "reading"
source = "because"
text = "with 404"
"#;

fn broken(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from:?} is not in the table");
    load(&GOOD.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn a_good_table_loads() {
    let catalogue = load(GOOD).unwrap();
    assert_eq!(catalogue.requirements.len(), 2);
    assert_eq!(catalogue.requirements[1].area(), "upload");
    assert_eq!(catalogue.sentences[0].excluded.as_deref(), Some("an example"));
}

#[test]
fn each_broken_rule_names_the_row() {
    let status = "upload.status-404";
    let refuse = "upload.refuse-unknown";
    for (from, to, row, words) in [
        ("level = \"should\"", "levle = \"should\"", status, "unknown field `levle`"),
        ("level = \"should\"", "", status, "missing field `level`"),
        ("level = \"should\"", "level = \"ought\"", status, "unknown variant `ought`"),
        ("basis = \"reading\"", "basis = \"hearsay\"", status, "unknown variant `hearsay`"),
        ("id = \"upload.status-404\"", "id = 404", "requirement number 2", "invalid type"),
        ("upload.status-404", "upload.refuse-unknown", refuse, "the id is taken"),
        ("upload.status-404", "upload", "upload", "the id must be"),
        ("upload.status-404", "Upload.status", "Upload.status", "the id must be"),
        ("upload.status-404", "upload.status_404", "upload.status_404", "the id must be"),
        ("upload.status-404", "upload.status--404", "upload.status--404", "the id must be"),
        ("\"with 404\"", "\" \"", status, "the text is empty"),
        ("sentences = [\"C6\"]", "", refuse, "basis draft must cite a sentence"),
        ("source = \"because\"", "", status, "basis reading must have a source"),
        ("source = \"because\"", "source = \"\"", status, "basis reading must have a source"),
        ("[\"C6\"]", "[\"C6\", \"C7\"]", refuse, "cites sentence \"C7\", which does not exist"),
        ("level = \"should\"", "level = \"must\"", status, "never above should"),
        ("excluded = \"an example\"", "", "C1", "neither cited"),
        ("excluded = \"an example\"", "excluded = \"\"", "C1", "neither cited"),
        ("[\"C6\"]", "[\"C6\", \"C1\"]", "C1", "excluded, and yet upload.refuse-unknown cites it"),
        ("id = \"C1\"", "id = \"C6\"", "C6", "the id is taken"),
        ("id = \"C1\"", "id = \"C-1\"", "C-1", "the id must be"),
        ("\"2014-12-31.1\"", "\"2014-12-31\"", "revision", "the day of the draft and our count"),
        ("\"2014-12-31.1\"", "\"2014-13-31.1\"", "revision", "the day of the draft and our count"),
        ("\"2014-12-31.1\"", "\"2014-12-31.0\"", "revision", "the day of the draft and our count"),
        ("excluded = \"an example\"", "exclude = \"an example\"", "C1", "unknown field `exclude`"),
    ] {
        let error = broken(from, to);
        assert!(
            error.starts_with(&format!("{row}: ")) && error.contains(words),
            "{from:?} -> {to:?}: {error}"
        );
    }
}

#[test]
fn a_file_that_is_no_table_says_where() {
    assert!(broken("[[requirement]]", "[[requirement]").contains("line 12"));
    assert!(broken("[[sentence]]\nid = \"C6\"", "[[sentances]]\nid = \"C6\"").contains("sentances"));
}

#[test]
fn the_digest_is_over_the_meaning_of_the_rows() {
    let digest = load(GOOD).unwrap().digest;
    assert_eq!(digest.len(), 64);
    assert_eq!(load(&GOOD.replace(" = ", "=")).unwrap().digest, digest);
    assert_ne!(load(&GOOD.replace("with 404", "with 403")).unwrap().digest, digest);
    assert_ne!(load(&GOOD.replace("\"should\"", "\"may\"")).unwrap().digest, digest);
}

#[test]
fn the_embedded_table_keeps_its_rules() {
    assert_eq!(sentences().len(), 21);
    assert_eq!(find("upload.refuse-unknown").unwrap().sentences, ["C6"]);
    assert_eq!(find("upload"), None);
    assert!(sentence("C6").unwrap().text.contains("most likely refused"));
    assert_eq!(sentence("C12"), None);
    assert_eq!(digest().len(), 64);
    assert!(revision().starts_with("2014-12-31."));
}

#[test]
fn rows_of_an_area_stand_together() {
    let mut areas: Vec<&str> = all().iter().map(Requirement::area).collect();
    areas.dedup();
    let expected =
        ["hash", "auth", "server", "gating", "upload", "union", "presence", "resolve", "federation"];
    assert_eq!(areas, expected);
}

#[test]
fn rules_do_not_repeat_the_draft() {
    for requirement in all() {
        for sentence in sentences() {
            assert!(!requirement.text.contains(&sentence.text), "{} quotes {}", requirement.id, sentence.id);
        }
    }
}
