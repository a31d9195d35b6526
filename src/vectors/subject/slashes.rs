//! Slashes in a row, as path normalisers merge them.

/// The text with one slash for each run of them.
pub(super) fn merged(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}
