//! Lists of what a program is known to get wrong.

use super::*;

/// A list of deviations with one entry.
fn listed(cases: &str, what: &str) -> String {
    format!("[[deviation]]\ncases = [{cases:?}]\n{what}\nreason = \"it is old\"")
}

#[tokio::test]
async fn an_expected_deviation_does_not_gate() {
    let crash = format!("if id == {SECOND:?}: sys.exit(1)");
    let list = listed("canonical.order-non-*", "outcome = \"crashed\"");
    let result = Program::new(&crash).asked_but_for(&THREE, &list).await.unwrap();
    assert_eq!((result.verdict, result.counts.expected), (Conformance::AsExpected, 1));
    assert_eq!(second(&result).deviation.as_deref(), Some("it is old"));
    assert_eq!(result.deviations[0].occurred, [SECOND]);
    let otherwise = listed(SECOND, "outcome = \"refused\"");
    let result = Program::new(&crash).asked_but_for(&THREE, &otherwise).await.unwrap();
    assert_eq!(result.verdict, Conformance::NonConformant, "a crash is no refusal");
    assert_eq!(result.counts.expected, 0);
}

#[tokio::test]
async fn a_deviation_that_no_longer_occurs_fails() {
    let list = listed(SECOND, "mistake = \"utf16-order\"");
    let result = Program::new("").asked_but_for(&THREE, &list).await.unwrap();
    assert_eq!((result.verdict, result.counts.failures()), (Conformance::NonConformant, 0));
    assert_eq!(result.deviations[0].stale, [SECOND]);
    let unselected = Program::new("").asked_but_for(&["canonical.null"], &list).await.unwrap();
    assert_eq!(unselected.verdict, Conformance::Conformant, "its case was not tried");
    let part = listed("canonical.order-*", "mistake = \"utf16-order\"");
    let part = Program::new("").asked_but_for(&THREE, &part).await.unwrap();
    assert_eq!(part.verdict, Conformance::Conformant, "not all of its cases were tried");
}

#[test]
fn a_list_of_deviations_is_told_by_file_entry_and_key() {
    let refused = |text: &str| Deviations::parse("list.toml", text).unwrap_err().to_string();
    let entry =
        |lines: &str| refused(&format!("{}\n[[deviation]]\n{lines}", listed(SECOND, "outcome = \"other\"")));
    assert!(refused("[[deviation").starts_with("list.toml: TOML parse error at line 1"));
    assert!(refused("[[deviations]]").contains("unknown field `deviations`"));
    for (lines, says) in [
        ("", "missing field `cases`"),
        ("cases = [\"union.one\"]\nmistake = \"last-only\"\nraeson = \"\"", "unknown field `raeson`"),
        ("cases = 1\nreason = \"r\"", "invalid type: integer `1`"),
        ("cases = [\"union.one\"]\nreason = \"r\"", "mistake, outcome: one of them is needed, and no more"),
        ("cases = [\"union.one\"]\noutcome = \"passed\"\nreason = \"r\"", "unknown variant `passed`"),
        ("cases = []\noutcome = \"other\"\nreason = \"r\"", "cases: there is none"),
        ("cases = [\"union.one\"]\noutcome = \"other\"\nreason = \" \"", "reason: it is empty"),
        (
            "cases = [\"union.on\"]\noutcome = \"other\"\nreason = \"r\"",
            "cases: \"union.on\" matches no case; did you mean \"union.one\"?",
        ),
        (
            "cases = [\"canonical.order-non-bmp\"]\nmistake = \"utf-16-order\"\nreason = \"r\"",
            "mistake: none of its cases shows \"utf-16-order\"; did you mean \"utf16-order\"?",
        ),
    ] {
        let error = entry(lines);
        assert!(error.starts_with("list.toml: deviation 2: ") && error.contains(says), "{lines}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
