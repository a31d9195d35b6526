//! Names that were misspelled.

/// The name that is spelled most like a word, if any is near; upper and lower case are one.
pub(crate) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let word = word.to_lowercase();
    names
        .map(|name| (strsim::jaro_winkler(&word, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.to_owned())
}

/// What an error says behind its message where a name is near.
pub(crate) fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_several_is_offered() {
        let names = ["union.of-all", "union.single", "presence.status"];
        assert_eq!(nearest("union.of-al", names.into_iter()).as_deref(), Some("union.of-all"));
        assert_eq!(nearest("UNION.SINGEL", names.into_iter()).as_deref(), Some("union.single"));
        assert_eq!(nearest("zzz", names.into_iter()), None);
        assert_eq!(hint(&None), "");
    }
}
