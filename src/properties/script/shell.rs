//! Words of a POSIX shell, quoted so that nothing in them is taken for anything else.

use crate::spec::binding::Route;
use crate::spec::capability::CapabilitySet;

/// Stands for the nonce of a run of the script, and is as long: 16 bytes.
pub(super) const NONCE: &str = "0-capchecknonce-";

/// A text as one word.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Words for people as one word, in the quotes that are easier to read.
pub(super) fn said(text: &str) -> String {
    match text.contains(['"', '$', '`', '\\', '!']) {
        true => quoted(text),
        false => format!("\"{text}\""),
    }
}

/// Bytes as one word, in which `$nonce` stands for [`NONCE`]. There must be no NUL, and no line feed at the
/// end: no shell can hold them.
pub(super) fn template(bytes: &[u8]) -> String {
    let mut word = String::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.windows(NONCE.len()).position(|window| window == NONCE.as_bytes());
        word += &literal(&rest[..end.unwrap_or(rest.len())]);
        rest = end.map_or(&[][..], |end| &rest[end + NONCE.len()..]);
        if end.is_some() {
            word += "\"$nonce\"";
        }
    }
    if word.is_empty() { "''".to_owned() } else { word }
}

/// Whether bytes made from others can be one, with the nonce wherever it was.
pub(super) fn is_template(bytes: &[u8], made_from: &[u8]) -> bool {
    let nonces = |of: &[u8]| of.windows(NONCE.len()).filter(|window| *window == NONCE.as_bytes()).count();
    !bytes.contains(&0) && !bytes.ends_with(b"\n") && nonces(bytes) == nonces(made_from)
}

/// Bytes as they are; those that are no UTF-8 by their numbers, so that the script stays text.
fn literal(bytes: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let text = if chunk.valid().is_empty() { String::new() } else { quoted(chunk.valid()) };
        let alien = chunk.invalid().iter().map(|byte| format!("\\{byte:03o}")).collect::<String>();
        if alien.is_empty() { text } else { format!("{text}\"$(printf '{alien}')\"") }
    };
    bytes.utf8_chunks().map(chunk).collect()
}

/// The canonical text of a set whose names hold [`NONCE`].
pub(super) fn set(set: &CapabilitySet) -> String {
    template(&set.canonical_bytes())
}

/// A path whose variables are arguments of the function that it stands in.
pub(super) fn path(route: &Route, arguments: &[(&str, &str)]) -> String {
    let argument = |name: &str| {
        let argument =
            arguments.iter().find(|(known, _)| *known == name).map_or("", |(_, argument)| argument);
        format!("\"$(encoded \"${argument}\")\"")
    };
    let mut pieces = route.template.split('{');
    let mut word = pieces.next().map(quoted).unwrap_or_default();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        word += &argument(name);
        if !rest.is_empty() {
            word += &quoted(rest);
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::spec::binding::{Binding, Operation};

    /// What a shell makes of a word, byte by byte.
    fn read_by_sh(word: &str) -> Vec<u8> {
        let script = format!("LC_ALL=C; nonce=0123456789abcdef; printf '%s' {word}");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{word}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    #[test]
    fn a_shell_reads_what_was_quoted() {
        for text in ["", "a", "it's", "'", "''", "$(false) `false` \\ \\n \" $nonce *", "é\u{7f}\u{1}\n😀-x"]
        {
            assert_eq!(read_by_sh(&quoted(text)), text.as_bytes(), "{text:?}");
            assert_eq!(read_by_sh(&template(text.as_bytes())), text.as_bytes(), "{text:?}");
            assert_eq!(read_by_sh(&said(text)), text.as_bytes(), "{text:?}");
        }
        let bytes = b"{\"\xffa'\":{}}\xc3";
        assert_eq!(read_by_sh(&template(bytes)), bytes);
    }

    #[test]
    fn the_nonce_is_put_where_it_stood() {
        let text = format!("{{\"org.capcheck.{NONCE}.it's\":{{}},\"{NONCE}\":{{}}}}");
        let read = read_by_sh(&template(text.as_bytes()));
        assert_eq!(read, text.replace(NONCE, "0123456789abcdef").as_bytes());
        assert_eq!(NONCE.len(), 16);
    }

    #[test]
    fn a_path_has_its_variables_encoded() {
        let binding = Binding::default();
        let word = path(binding.route(Operation::Resolve), &[("user_id", "2"), ("hash", "3")]);
        assert_eq!(
            word,
            "'/_matrix/client/unstable/org.matrix.capability_sets/users/'\"$(encoded \"$2\")\"'/sets/'\"$(encoded \"$3\")\""
        );
        assert_eq!(
            path(binding.route(Operation::Declare), &[]),
            "'/_matrix/client/unstable/org.matrix.capability_sets/session'"
        );
    }
}
