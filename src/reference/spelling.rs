//! How answers are spelled: JSON in, the same JSON out, as this server's freedoms have it.
//!
//! One value has many spellings, and most answers may say more than is asked of them. What no freedom
//! touches leaves byte by byte as it came.

use serde_json::{Map, Value, json};

use super::http::{Content, Reply};
use super::variants::{Variant, VariantSet};

/// Objects whose keys are data: one more would be one more room, user, feature or signature.
const DICTIONARIES: [&str; 7] =
    ["join", "invite", "leave", "joined", "unstable_features", "verify_keys", "pdus"];

/// Long, in several alphabets and directions, and no text that a terminal should be given.
const ERROR_TEXT: &str = "Отказано 拒绝 رُفِض נדחה ปฏิเสธ 😱 e\u{301}\u{202e}\u{2028}\u{feff}\0\u{7}\u{8}\t\n\u{c}\r\
    \u{1b}[31m\u{7f}\u{9b}\"\\/ </script> {\"errcode\":\"M_NOT_FOUND\"} %s %00 ";

/// Spells an answer anew.
pub(super) fn spell(variants: VariantSet, mut reply: Reply) -> Reply {
    let spelling = Spelling::of(variants);
    let respelled = spelling != Spelling::default();
    let explained = reply.status >= 400 && variants.has(Variant::ErrorTexts);
    let extended = reply.content == Content::Open && variants.has(Variant::AnswersExtraKeys);
    if !(respelled || explained || extended) {
        return reply;
    }
    // What is no JSON is no answer of ours to spell.
    let Ok(mut value) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
    if explained && let Some(text) = value.get_mut("error") {
        *text = ERROR_TEXT.repeat(8).into();
    }
    if extended {
        extend(&mut value);
    }
    reply.body = spelling.write(&value).into();
    reply
}

/// Adds a key to every object that may have one more. Not to a hash, which is a freedom of its own; nor
/// to what is signed, or offered to be signed.
fn extend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(extend),
        Value::Object(members) if !is_closed(members) => {
            for (key, member) in members.iter_mut() {
                match member {
                    Value::Object(entries) if DICTIONARIES.contains(&key.as_str()) => {
                        entries.values_mut().for_each(extend);
                    }
                    member => extend(member),
                }
            }
            let nested = json!({ "sha256": null, "errcode": [], "": "\u{0}" });
            let unheard = json!([null, true, 9_007_199_254_740_991_i64, "", nested]);
            members.insert("org.example.unheard_of".to_owned(), unheard);
        }
        _ => {}
    }
}

fn is_closed(members: &Map<String, Value>) -> bool {
    ["sha256", "signatures", "prev_events"].into_iter().any(|key| members.contains_key(key))
}

/// A spelling of JSON; the default is serde's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spelling {
    reversed: bool,
    spaces: Spaces,
    escapes: Escapes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Spaces {
    #[default]
    None,
    /// Lines, indented by depth.
    Lines,
    /// All that JSON takes for white space, around every token.
    Everywhere,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Escapes {
    #[default]
    Forced,
    /// `/`, and what is not ASCII.
    Slashes,
    /// Every character.
    All,
}

impl Spelling {
    fn of(variants: VariantSet) -> Self {
        Self {
            reversed: variants.has(Variant::AnswersReversed),
            spaces: match () {
                () if variants.has(Variant::AnswersSprawling) => Spaces::Everywhere,
                () if variants.has(Variant::AnswersSpaced) => Spaces::Lines,
                () => Spaces::None,
            },
            escapes: match () {
                () if variants.has(Variant::AnswersEscaped) => Escapes::All,
                () if variants.has(Variant::AnswersSlashEscaped) => Escapes::Slashes,
                () => Escapes::Forced,
            },
        }
    }

    fn write(self, value: &Value) -> String {
        let mut text = String::new();
        self.gap(0, &mut text);
        self.value(value, 0, &mut text);
        self.gap(0, &mut text);
        text
    }

    fn value(self, value: &Value, depth: usize, text: &mut String) {
        match value {
            Value::String(string) => self.string(string, text),
            Value::Array(items) => self.list(['[', ']'], items, depth, text, |item, text| {
                self.value(item, depth + 1, text);
            }),
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if self.reversed {
                    members.reverse();
                }
                self.list(['{', '}'], &members, depth, text, |(key, member), text| {
                    self.string(key, text);
                    self.space(depth, text);
                    text.push(':');
                    self.space(depth, text);
                    self.value(member, depth + 1, text);
                });
            }
            scalar => text.push_str(&scalar.to_string()),
        }
    }

    fn list<T>(
        self,
        [open, close]: [char; 2],
        items: &[T],
        depth: usize,
        text: &mut String,
        write: impl Fn(&T, &mut String),
    ) {
        text.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            self.gap(depth + 1, text);
            write(item, text);
            self.space(0, text);
        }
        self.gap(depth, text);
        text.push(close);
    }

    /// Between a bracket or comma and what follows.
    fn gap(self, depth: usize, text: &mut String) {
        match self.spaces {
            Spaces::None => {}
            Spaces::Lines => {
                text.push('\n');
                text.push_str(&"  ".repeat(depth));
            }
            Spaces::Everywhere => text.push_str("\r\n\t \t"),
        }
    }

    /// Within a line, after a value or around a colon.
    fn space(self, depth: usize, text: &mut String) {
        match self.spaces {
            Spaces::Everywhere => text.push_str(" \t\n"),
            // Before the colon no line of print has a space; after it there is one.
            Spaces::Lines if depth > 0 && text.ends_with(':') => text.push(' '),
            Spaces::None | Spaces::Lines => {}
        }
    }

    fn string(self, string: &str, text: &mut String) {
        match self.escapes {
            Escapes::All => {
                text.push('"');
                string.chars().for_each(|c| escape(c, text));
                text.push('"');
            }
            Escapes::Forced | Escapes::Slashes => {
                for c in Value::from(string).to_string().chars() {
                    match c {
                        '/' if self.escapes == Escapes::Slashes => text.push_str("\\/"),
                        c if self.escapes == Escapes::Slashes && !c.is_ascii() => escape(c, text),
                        c => text.push(c),
                    }
                }
            }
        }
    }
}

/// Writes a character as its UTF-16 units, in lower-case and upper-case digits by turns of code points.
fn escape(c: char, text: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        text.push_str(&match u32::from(c) % 2 {
            0 => format!("\\u{unit:04x}"),
            _ => format!("\\u{unit:04X}"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Named as _;

    fn spelled(variants: &[Variant], reply: Reply) -> String {
        String::from_utf8(spell(variants.iter().copied().collect(), reply).body.to_vec()).unwrap()
    }

    #[test]
    fn whatever_the_spelling_the_value_is_the_same() {
        let value = json!({
            "": [], "a": {}, "\u{1f602}/\\\"\n": ["\u{0}\u{7f}\u{2028}é", [[-9_007_199_254_740_991_i64, null]]],
            "b": { "max": 9_007_199_254_740_991_i64, "x": [true, false, {}, "", 18_446_744_073_709_551_615_u64] },
        });
        let spellings: Vec<Variant> = Variant::all()
            .filter(|variant| Spelling::of([*variant].into_iter().collect()) != Spelling::default())
            .collect();
        assert_eq!(spellings.len(), 5);
        for first in &spellings {
            for second in &spellings {
                let text = spelled(&[*first, *second], Reply::bytes(200, value.to_string()));
                assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "{first}, {second}: {text}");
                assert_ne!(text, value.to_string());
            }
        }
    }

    #[test]
    fn only_what_may_be_extended_is() {
        let extended = |value: Value| spelled(&[Variant::AnswersExtraKeys], Reply::ok(&value));
        let count = |value: Value| extended(value).matches("unheard_of").count();
        assert_eq!(count(json!({})), 1);
        assert_eq!(count(json!({ "flows": [{ "stages": ["m.login.dummy"] }], "params": {} })), 3);
        assert_eq!(count(json!({ "rooms": { "join": { "!r:hs": { "timeline": {} } } } })), 4);
        assert_eq!(count(json!({ "unstable_features": { "x": true } })), 1);
        assert_eq!(count(json!({ "presence": "online", "hash": { "sha256": "x" } })), 1);
        for closed in [json!({ "server_name": "hs", "signatures": {} }), json!({ "sha256": "x" })] {
            assert_eq!(extended(closed.clone()), closed.to_string());
        }
        let event = json!({ "event": { "content": {}, "prev_events": [] } });
        assert_eq!(count(event), 1);
        assert_eq!(spelled(&[Variant::AnswersExtraKeys], Reply::bytes(200, "{}")), "{}");
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        let all: Vec<Variant> = Variant::all().collect();
        assert_eq!(spelled(&all, Reply::text(502, "502 Bad Gateway")), "502 Bad Gateway");
    }
}
