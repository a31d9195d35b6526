//! Mistakes of those whose language cannot hold a value as it is, and so changes it.

use super::decode::{Text, text_of};
use super::lenient::Value;
use super::style::CANONICAL;
use super::{How, Mistake};

const fn changed(name: &'static str, done: &'static str, how: fn(Value) -> Value) -> Mistake {
    Mistake { name, done, how: How::Changed(how) }
}

pub(super) static MISTAKES: &[Mistake] = &[
    changed("arrays-sorted", "with the elements of arrays sorted", |value| {
        everywhere(value, &|value| match value {
            Value::Array(mut items) => {
                items.sort_by_cached_key(|item| CANONICAL.bytes(item));
                Value::Array(items)
            }
            other => other,
        })
    }),
    changed("objects-as-arrays", "with objects that look like lists as arrays", |value| {
        everywhere(value, &|value| match value {
            Value::Object(members) => list_of(members),
            other => other,
        })
    }),
    changed("null-dropped", "without members that are null", |value| {
        everywhere(value, &|value| without(value, |_, value| is_word(value, "null")))
    }),
    changed("empty-dropped", "without members that are false, zero, null or empty", |value| {
        everywhere(value, &|value| without(value, |_, value| is_empty(value)))
    }),
    changed("empty-key-dropped", "without members whose key is empty", |value| {
        everywhere(value, &|value| without(value, |key, _| key.is_empty()))
    }),
    changed("proto-dropped", "without members called `__proto__`", |value| {
        everywhere(value, &|value| without(value, |key, _| *key == text_of("__proto__")))
    }),
    changed("cut-at-nul", "with strings cut before U+0000", |value| {
        everywhere(value, &|value| match value {
            Value::String(text) => Value::String(before_nul(&text)),
            Value::Object(members) => {
                Value::Object(members.into_iter().map(|(key, value)| (before_nul(&key), value)).collect())
            }
            other => other,
        })
    }),
];

/// The value changed at every depth, what is inside first.
fn everywhere(value: Value, change: &dyn Fn(Value) -> Value) -> Value {
    change(match value {
        Value::Array(items) => Value::Array(items.into_iter().map(|item| everywhere(item, change)).collect()),
        Value::Object(members) => {
            let member = |(key, value)| (key, everywhere(value, change));
            Value::Object(members.into_iter().map(member).collect())
        }
        scalar => scalar,
    })
}

fn without(value: Value, dropped: fn(&Text, &Value) -> bool) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(key, value)| !dropped(key, value)).collect())
        }
        other => other,
    }
}

fn is_word(value: &Value, word: &str) -> bool {
    matches!(value, Value::Word(found) if found == word)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Word(word) => word == "null" || word == "false",
        Value::Number(number) => number == "0",
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// An array, if the keys in code-point order are 0, 1, 2 and so on.
fn list_of(mut members: Vec<(Text, Value)>) -> Value {
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    let is_list = members.iter().enumerate().all(|(i, (key, _))| *key == text_of(&i.to_string()));
    if is_list {
        Value::Array(members.into_iter().map(|(_, value)| value).collect())
    } else {
        Value::Object(members)
    }
}

fn before_nul(text: &Text) -> Text {
    text.iter().copied().take_while(|point| *point != 0).collect()
}
