//! `vectors explain` knows every name that the files use.

use super::*;

/// The exit code, and what is told.
fn explain(name: &str) -> (i32, String) {
    let output = capcheck(&["vectors", "explain", name]);
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn flags_failures_and_exchanges_are_known() {
    for (name, words) in [
        (
            "KeyOrder",
            &[
                "KeyOrder: ",
                "  effect     ",
                "utf16-order\n  pins       hash.code-point-order\n",
                "set.parameters-non-bmp ",
            ][..],
        ),
        ("lone-surrogate", &["lone-surrogate: ", "canonical-json: why these are refused\n"]),
        ("utf16-order", &["utf16-order: ", "capability-hash: shown by\n", "set.parameters-non-bmp "]),
        ("exchanges", &["exchanges\n", "  exchange.declare-refused "]),
    ] {
        let (code, page) = explain(name);
        assert_eq!(code, 0, "{page}");
        assert!(words.iter().all(|word| page.contains(word)), "{name}: {page}");
    }
}

#[test]
fn a_name_that_is_unknown_is_cut_and_the_nearest_is_offered() {
    for (name, near) in [("keyorder", "KeyOrder"), ("UNION.ONE", "union.one"), ("exchange", "exchanges")] {
        let (code, told) = explain(name);
        assert!(code == 2 && told.contains(&format!("did you mean {near:?}?")), "{told}");
    }
    let (code, told) = explain(&"x".repeat(5000));
    assert!(code == 2 && told.len() < 500, "{told}");
}
