//! The documents: they say what the code does, and every one of these checks fails on a page that does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod examples;
mod markdown;
mod vectors;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use capcheck::proof::markdown::page as markdown_of;
use capcheck::proof::run::Proof;
use capcheck::spec::requirement::{self, Requirement, Sentence};
use capcheck::vectors::subject::SUBJECTS;
use capcheck::vectors::{Case, Verdict, carried};

const PROTOCOL: &str = include_str!("../../docs/protocol.md");

/// The row of section 15 for a requirement, as far as the code knows it, without code marks.
fn row(requirement: &Requirement) -> String {
    let Requirement { id, level, basis, sentences, source, .. } = requirement;
    let source = source.as_deref().map(|source| source.trim_end_matches('.').to_owned());
    let cited = Some(sentences.join(", ")).filter(|cited| !cited.is_empty());
    let source = cited.into_iter().chain(source).collect::<Vec<_>>().join(". ");
    format!("{id} {level} {basis} {source}")
}

/// The row of appendix A for a sentence.
fn sentence_row(sentence: &Sentence) -> String {
    let cites = requirement::all().iter().filter(|requirement| requirement.sentences.contains(&sentence.id));
    let ids: Vec<String> = cites.map(|requirement| format!("`{}`", requirement.id)).collect();
    let last = sentence.excluded.as_ref().map_or(ids.join(", "), |why| format!("none: {why}"));
    format!("{} {} {last}", sentence.id, sentence.text)
}

/// Lines of two lists that do not agree, in order.
fn differences(code: Vec<String>, page: Vec<String>) -> Vec<String> {
    let length = code.len().max(page.len());
    let at = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_else(|| "nothing".to_owned());
    (0..length)
        .filter(|i| code.get(*i) != page.get(*i))
        .map(|i| format!("the code has {}\nthe page has {}", at(&code, i), at(&page, i)))
        .collect()
}

fn requirement_table(page: &str) -> Vec<String> {
    let rows = markdown::rows(page);
    let rows =
        rows.iter().filter(|row| row.len() == 5 && markdown::code(row[0]).is_some_and(|id| id.contains('.')));
    differences(
        requirement::all().iter().map(row).collect(),
        rows.map(|row| row[..4].join(" ").replace('`', "")).collect(),
    )
}

/// Every id stands in the section that its row names, outside the tables.
fn running_text(page: &str) -> Vec<String> {
    let sections = markdown::sections(page);
    let rows = markdown::rows(page);
    let stated = |id: &str| {
        let row = rows.iter().find(|row| row.len() == 5 && markdown::code(row[0]) == Some(id))?;
        let anchor = markdown::links(row[4]).first()?.strip_prefix('#')?;
        sections.iter().find(|section| section.anchor == anchor)
    };
    let told = |id: &str| stated(id).is_some_and(|section| markdown::spans(section.body).contains(&id));
    let ids = requirement::all().iter().map(|requirement| requirement.id.as_str());
    ids.filter(|id| !told(id))
        .map(|id| format!("{id} is not in the text of the section that its row names"))
        .collect()
}

fn sentences(page: &str) -> Vec<String> {
    let appendix = page.split("## Appendix A").nth(1).unwrap_or_default();
    let numbered = |row: &&Vec<&str>| row.len() == 3 && row[0].ends_with(|c: char| c.is_ascii_digit());
    let rows = markdown::rows(appendix);
    differences(
        requirement::sentences().iter().map(sentence_row).collect(),
        rows.iter().filter(numbered).map(|row| row.join(" ")).collect(),
    )
}

/// Relative links that lead nowhere; `page` is the text of the file at `path`.
fn dead_links(path: &Path, page: &str) -> Vec<String> {
    let elsewhere = |link: &&str| link.contains("://") || link.starts_with("mailto:");
    let dead = |link: &&str| {
        let (file, anchor) =
            link.split_once('#').map_or((*link, None), |(file, anchor)| (file, Some(anchor)));
        let target = if file.is_empty() { path.to_owned() } else { path.with_file_name(file) };
        let text = if file.is_empty() { Some(page.to_owned()) } else { fs::read_to_string(&target).ok() };
        let anchors =
            |text: &str| markdown::sections(text).into_iter().map(|s| s.anchor).collect::<BTreeSet<_>>();
        match (anchor, text) {
            (Some(anchor), Some(text)) => !anchors(&text).contains(anchor),
            (Some(_), None) => true,
            (None, _) => !target.exists(),
        }
    };
    let links = markdown::links(page).into_iter().filter(|link| !elsewhere(link)).filter(dead);
    links.map(|link| format!("{}: {link}", path.display())).collect()
}

/// The documents that there are.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let tops = ["README.md", "CONTRIBUTING.md"].map(|name| root.join(name));
    docs.chain(tops.into_iter().filter(|path| path.exists())).collect()
}

/// The page holds, and does not where a word of it is another one.
fn holds_unless_tampered(check: fn(&str) -> Vec<String>, tampered: &[(&str, &str)]) {
    let faults = check(PROTOCOL);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for (word, other) in tampered {
        assert!(PROTOCOL.contains(word), "{word} is not on the page");
        assert!(
            !check(&PROTOCOL.replacen(word, other, 1)).is_empty(),
            "{other:?} for {word:?} goes unnoticed"
        );
    }
}

#[test]
fn the_table_of_requirements_is_that_of_the_code() {
    holds_unless_tampered(
        requirement_table,
        &[
            ("| `union.single` | must |", "| `union.single` | should |"),
            ("| `union.single` | must | draft |", "| `union.single` | must | derived |"),
            ("| `upload.known-hash` | must | draft | C6 |", "| `upload.known-hash` | must | draft | C7 |"),
            ("which every homeserver can store", "which no homeserver can store"),
            ("| `presence.change` | must", "| `presence.changes` | must"),
            ("| `union.leave` | must | draft | C3 | [9.2](#92-the-union) |\n", ""),
        ],
    );
}

#[test]
fn every_requirement_is_told_where_its_row_says() {
    holds_unless_tampered(
        running_text,
        &[
            ("(`upload.no-pinning`; C7)", "(C7)"),
            ("`upload.malformed-hash`", "`upload.malformed`"),
            ("| C7 | [8.3](#83-size) |", "| C7 | [8.2](#82-settled) |"),
        ],
    );
}

#[test]
fn the_drafts_sentences_are_those_of_the_code() {
    holds_unless_tampered(
        sentences,
        &[
            ("most likely refused", "always refused"),
            ("| C8 | The client will then", "| C9 | The client will then"),
            ("| `resolve.hash-and-user`, `resolve.malformed-hash`, ", "| `resolve.hash-and-user`, "),
            ("none: motivation: an example of a client's", "none: an example of a client's"),
        ],
    );
}

#[test]
fn every_hash_is_that_of_its_bytes() {
    let found = examples::census(PROTOCOL);
    assert!(found[0] >= 5 && found[1] >= 8 && found[2] >= 4, "{found:?}");
    holds_unless_tampered(
        examples::faults,
        &[
            // In a block, as JSON and as hexadecimal digits.
            ("m.cap.example.n11407", "m.cap.example.n11408"),
            ("7b226d2e6361702e782e7631223a7b22ef", "7b226d2e6361702e782e7632223a7b22ef"),
            // A spelling in a path.
            ("%2F%2F15Nh", "%2F15Nh"),
            // In a table, in a request and in its answer.
            ("`{\"m.cap.location.v1\":{}}`", "`{\"m.cap.places.v1\":{}}`"),
            ("{\"m.cap.webrtc.v1\": {}, \"m.cap.voip.v1\": {}}", "{\"m.cap.webrtc.v1\": {}}"),
            ("{\"m.cap.stickers.v1\": {}, \"m.cap.voip.v1\"", "{\"m.cap.sticker.v1\": {}, \"m.cap.voip.v1\""),
            // Beside bytes that are described only, and by a mistake.
            ("i/GM4", "i/GM5"),
            ("xQzZuEDp6gmR", "xQzZuEDp6gmS"),
            ("QzfDz+4zlWTb", "QzfDz+4zlWTc"),
            ("`PSkJxxwCVFey", "`PSkJxxwCVFez"),
            (
                "`eF1okTENbecNNxAsGl_GrFQkPhEzmOVQGJI9MKmUPQo`",
                "`eF1okTENbecNNxAsGl_GrFQkPhEzmOVQGJI9MKmUPQp`",
            ),
            // Cut short.
            ("`gpngsZJB…`", "`gpngsZJC…`"),
        ],
    );
}

#[test]
fn the_cases_that_are_shown_are_published() {
    let page = include_str!("../../docs/vectors.md");
    assert_eq!(vectors::faults(page), [""; 0]);
    for (word, other) in [
        ("\"comment\": \"- comes before 1\"", "\"comment\": \"- comes after 1\""),
        ("\"result\": \"valid\"", "\"result\": \"either\""),
        ("`p7RJIZOV5ZLy", "`q7RJIZOV5ZLy"),
        ("for `set.parameters-index`", "for `set.parameters`"),
        ("> {\"id\":\"set.one\"", "> {\"id\":\"set.won\""),
        ("{\"text\":\"~a b*\"}", "{\"text\":\"~a b\"}"),
        ("\"sha256\":\"BulH2I", "\"sha256\":\"BulH2J"),
        (
            "{\"id\":\"set.bad-array\",\"result\":\"invalid\"}",
            "{\"id\":\"set.bad-array\",\"result\":\"valid\"}",
        ),
        ("mistake = \"nan-taken\"", "mistake = \"last-key-wins\""),
    ] {
        assert!(page.contains(word), "{word} is not on the page");
        assert!(!vectors::faults(&page.replacen(word, other, 1)).is_empty(), "{other} goes unnoticed");
    }
}

#[test]
fn the_loop_that_is_shown_names_wrong_answers() {
    let page = include_str!("../../docs/vectors.md");
    let cases: Vec<Case> = SUBJECTS
        .iter()
        .flat_map(|row| carried(row.subject.name()).cases().cloned().collect::<Vec<_>>())
        .collect();
    let refuses = vectors::printed(page, "def answer(subject, input): return 'invalid'");
    assert_eq!(refuses.len(), cases.iter().filter(|case| case.result == Verdict::Valid).count());
    let right = "import glob, json
files = [json.load(open(file)) for file in glob.glob('vectors/*.json')]
right = {json.dumps([f['subject'], c['input']]): c['expected'][f['answer']] if 'answer' in f else 'valid'
         for f in files for g in f.get('groups', []) for c in g['cases'] if c['result'] != 'invalid'}
def answer(subject, input): return right.get(json.dumps([subject, input]), 'invalid')";
    assert_eq!(vectors::printed(page, right), [""; 0]);
    let utf16 = right.to_owned()
        + "
wrong = {json.dumps([f['subject'], c['input']]): c['wrong']['utf16-order']
         for f in files for g in f.get('groups', []) for c in g['cases'] if 'utf16-order' in c.get('wrong', {})}
right.update(wrong)";
    let told = vectors::printed(page, &utf16);
    assert!(told.len() > 5 && told.iter().all(|line| line.contains("utf16-order")), "{told:?}");
}

#[test]
fn no_link_leads_nowhere() {
    for path in documents() {
        let page = fs::read_to_string(&path).unwrap();
        assert_eq!(dead_links(&path, &page), [""; 0]);
        for link in ["nowhere.md", "#nowhere", "target.md#nowhere"] {
            let tampered = format!("{page}\nsee [this]({link})\n");
            assert_eq!(dead_links(&path, &tampered).len(), 1, "{}: {link}", path.display());
        }
    }
}

/// Where nothing is found against the suite, the page follows from the tables, which `.ci/run` has proved.
#[test]
fn the_kill_matrix_is_what_the_tables_say() {
    let page = markdown_of(&Proof::expected());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kill-matrix.md");
    if std::env::var_os("CAPCHECK_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/kill-matrix.md is stale: CAPCHECK_WRITE_DOCS=1 cargo test --test it docs");
}
