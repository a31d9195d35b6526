//! `capcheck coverage`: every sentence and requirement is there, with what stands behind it.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::fs;

use capcheck::proof::coverage::{Coverage, Tables};
use capcheck::spec::requirement;
use capcheck::vectors;
use serde_json::Value;

use super::cli::{output, refused};

fn text(arguments: &[&str]) -> (String, Option<i32>) {
    let output = output(&[&["coverage"], arguments].concat());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

/// What the exit code has to be, by the tables that the program carries.
fn code() -> Option<i32> {
    Some(i32::from(!Coverage::of(&Tables::of_the_suite()).gaps.is_empty()))
}

#[test]
fn the_page_leads_from_a_sentence_to_what_stands_behind_it() {
    let (page, exit) = text(&[]);
    assert_eq!(exit, code(), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line), "{page}");
    for sentence in requirement::sentences() {
        assert!(
            page.lines().any(|line| line.starts_with(&format!("{:<5}\"", sentence.id))),
            "{}",
            sentence.id
        );
    }
    for rows in [
        "C3   \"The server will take the \"union\" of all the user's connected clients' capability sets\"\n  \
         union.single                      must    draft\n    \
         scenarios  union::of_one_client_is_its_set\n    faults     union-holds-server-set",
        "  gating.no-leak                    must    derived\n    \
         scenarios  gating::does_not_leak_through_shared_answers, gating::does_not_fall_for_a_look_alike\n",
        "C1   \"e.g. Whether this client supports VoIP\"\n  \
         no requirement: motivation: an example of a client's capability\n",
        "  server.hash                       must    draft    see S2\n",
        "Without a sentence of the draft\n  hash.code-point-order             must    profile\n",
    ] {
        assert!(page.contains(rows), "{rows}\nis not in\n{page}");
    }
}

#[test]
fn the_page_counts_the_vectors_of_every_requirement() {
    let (page, _) = text(&[]);
    let words: Vec<&str> = page.split_whitespace().collect();
    let page = words.join(" ");
    for rule in requirement::all() {
        let pins = vectors::pinned().into_iter().filter(|pinned| pinned.requirement == rule.id);
        let counted: Vec<String> = pins.map(|p| format!("{} ({})", p.file, p.cases.len())).collect();
        let told = page.split_once(&format!(" {} {} {} ", rule.id, rule.level, rule.basis)).unwrap().1;
        let row = format!(" vectors {}", counted.join(", "));
        let next =
            requirement::all().iter().filter_map(|next| told.find(&format!(" {} {} ", next.id, next.level)));
        let own = &told[..next.min().unwrap_or(told.len())];
        assert_eq!(own.contains(" vectors "), !counted.is_empty(), "{}: {own}", rule.id);
        assert!(counted.is_empty() || own.contains(&row), "{}: {row} is not in {own}", rule.id);
    }
}

#[test]
fn every_requirement_is_told_in_full_exactly_once() {
    let (page, _) = text(&[]);
    for rule in requirement::all() {
        let head = format!("  {:<33} {:<7} {}", rule.id, rule.level, rule.basis);
        let told = page.lines().filter(|line| *line == head).count();
        assert_eq!(told, 1, "{}", rule.id);
        let pointed_at = page.lines().filter(|line| line.starts_with(&head) && line.contains("see ")).count();
        assert_eq!(pointed_at, rule.sentences.len().saturating_sub(1), "{}", rule.id);
    }
}

#[test]
fn gaps_alone_are_the_end_of_the_page() {
    let (page, exit) = text(&[]);
    let (gaps, same) = text(&["--gaps"]);
    assert_eq!(exit, same);
    assert!(page.ends_with(&gaps) && gaps.len() < page.len(), "{gaps}");
    assert!(gaps.contains(&format!("{} requirements, ", requirement::all().len())), "{gaps}");
}

#[test]
fn the_json_holds_every_requirement() {
    let (json, exit) = text(&["--json", "-"]);
    assert_eq!(exit, code());
    let document: Value = serde_json::from_str(&json).unwrap();
    let ids = |list: &str| -> Vec<String> {
        let rows = document[list].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("requirements"), requirement::all().iter().map(|r| r.id.clone()).collect::<Vec<_>>());
    assert_eq!(ids("sentences"), requirement::sentences().iter().map(|s| s.id.clone()).collect::<Vec<_>>());
    let rows = document["requirements"].as_array().unwrap();
    let union = rows.iter().find(|row| row["id"] == "union.of-all").unwrap();
    assert_eq!(union["level"], "must");
    assert_eq!(union["sentences"], serde_json::json!(["C3"]));
    let scenarios =
        serde_json::json!(["union::of_two_clients_is_of_both", "union::of_many_clients_is_of_all"]);
    assert_eq!(union["scenarios"], scenarios);
    assert!(union["faults"].as_array().unwrap().contains(&"union-last-declared".into()));
    assert!(union["vectors"][0]["cases"].as_array().unwrap().contains(&"union.chain".into()));
}

#[test]
fn the_json_goes_to_a_file_beside_the_page() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("coverage.json");
    let (page, exit) = text(&["--json", file.to_str().unwrap()]);
    assert_eq!((page, exit), text(&[]));
    assert_eq!(fs::read_to_string(&file).unwrap(), text(&["--json", "-"]).0);
    let nowhere = directory.path().join("no-directory/coverage.json");
    let line = refused(&["coverage", "--json", nowhere.to_str().unwrap()], 2);
    assert!(line.contains("no-directory"), "{line}");
}
