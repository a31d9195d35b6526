//! A line that a program said, as an answer to a case.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::vectors::subject::Answer;

/// What a program says of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// An answer.
    Answer {
        /// The answer.
        answer: Answer,
        /// The fields beside it, e.g. `canonical`.
        beside: Map<String, Value>,
    },
    /// It does not do the subject.
    Unsupported,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    result: Word,
    #[serde(flatten)]
    beside: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Valid,
    Invalid,
    Unsupported,
}

/// Reads an answer to the case with this id, in a subject whose answers are in this field.
///
/// # Errors
///
/// What is wrong with it, in words that go on after "it answered".
pub(super) fn read(line: &[u8], id: &str, field: Option<&str>) -> Result<Said, String> {
    let quoted = || format!("{:?}", cut(&String::from_utf8_lossy(line)));
    let raw: Value =
        serde_json::from_slice(line).map_err(|error| format!("{}, which is not JSON: {error}", quoted()))?;
    let line: Line = Line::deserialize(raw).map_err(|error| format!("{}: {error}", quoted()))?;
    if line.id != id {
        return Err(format!("about {:?}, which may have got an answer too many", cut(&line.id)));
    }
    match (line.result, field) {
        (Word::Unsupported, _) => Ok(Said::Unsupported),
        (Word::Invalid, _) => Ok(Said::Answer { answer: Answer::Refused, beside: line.beside }),
        (Word::Valid, None) => Ok(Said::Answer { answer: Answer::taken(), beside: line.beside }),
        (Word::Valid, Some(field)) => match line.beside.get(field) {
            Some(value) => Ok(Said::Answer { answer: Answer::Taken(value.clone()), beside: line.beside }),
            None => Err(format!("\"valid\" without {field:?}")),
        },
    }
}

/// The longest piece of a line that is told, in characters.
const TOLD: usize = 120;

fn cut(text: &str) -> String {
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(line: &str) -> Result<Said, String> {
        read(line.as_bytes(), "a.b", Some("sha256"))
    }

    #[test]
    fn an_answer_is_read_with_what_stands_beside_it() {
        let Ok(Said::Answer { answer, beside }) =
            said(r#"{"result":"valid","canonical":"{}","sha256":"h","id":"a.b"}"#)
        else {
            panic!("not read");
        };
        assert_eq!((answer, &beside["canonical"]), (Answer::Taken("h".into()), &json!("{}")));
        let refused = Said::Answer { answer: Answer::Refused, beside: Map::new() };
        assert_eq!(said(r#"{"id":"a.b","result":"invalid"}"#), Ok(refused));
        assert_eq!(said(r#"{"id":"a.b","result":"unsupported"}"#), Ok(Said::Unsupported));
        let taken = Said::Answer { answer: Answer::taken(), beside: Map::new() };
        assert_eq!(read(br#"{"id":"a.b","result":"valid"}"#, "a.b", None), Ok(taken));
    }

    #[test]
    fn garbage_says_what_is_wrong_with_it() {
        for (line, says) in [
            ("", "is not JSON"),
            ("Hello", "\"Hello\", which is not JSON"),
            ("[1]", "invalid type: sequence"),
            (r#"{"id":"a.b"}"#, "missing field `result`"),
            (r#"{"result":"invalid"}"#, "missing field `id`"),
            (r#"{"id":"a.b","result":"maybe"}"#, "unknown variant `maybe`"),
            (r#"{"id":"a.c","result":"invalid"}"#, "about \"a.c\""),
            (r#"{"id":"a.b","result":"valid"}"#, "\"valid\" without \"sha256\""),
        ] {
            let error = said(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
        assert!(said(&"x".repeat(10_000)).unwrap_err().len() < 400, "it is cut");
        assert!(read(b"\xff", "a.b", None).is_err());
    }
}
