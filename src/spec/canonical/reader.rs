//! The strict reader: a visitor over serde_json that refuses what Canonical JSON cannot express.

use std::cell::{Cell, RefCell};
use std::collections::btree_map::Entry;
use std::fmt;
use std::io;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::{JsonError, JsonErrorKind, line_and_column};
use super::token::{self, Mistake};
use super::{Json, MAX_DEPTH, Object};

/// Reads one JSON value strictly: whatever RFC 8259 leaves to the reader is refused unless there
/// is exactly one way to take it. White space around the value is fine.
///
/// # Errors
///
/// The first mistake, by name and with its exact place. See [`JsonErrorKind`].
pub fn parse(bytes: &[u8]) -> Result<Json, JsonError> {
    let input = text_of(bytes).map_err(|(offset, kind)| JsonError::at(bytes, offset, kind))?;
    let reader = Reader::new(input);
    let mut source = serde_json::Deserializer::from_reader(Counted(&reader));
    let outcome = Value { reader: &reader, depth: 1, looked_ahead: false }.deserialize(&mut source);
    let (offset, kind) = match outcome {
        Ok(value) => match source.end() {
            Ok(()) => return Ok(value),
            // The look-ahead of `end` has consumed the offending byte.
            Err(_) => (reader.consumed.get() - 1, JsonErrorKind::TrailingBytes),
        },
        Err(error) => reader.mistake.take().unwrap_or_else(|| reader.explain(&error)),
    };
    Err(JsonError::at(bytes, offset, kind))
}

/// The line and the column, both from one, where a member of the outermost object begins; none if the
/// bytes are not JSON, not an object, or have no such member.
pub fn place_of_member(bytes: &[u8], name: &str) -> Option<(usize, usize)> {
    let reader = Reader::new(text_of(bytes).ok()?);
    let mut source = serde_json::Deserializer::from_reader(Counted(&reader));
    let start = source.deserialize_map(Search { reader: &reader, name }).ok()??;
    Some(line_and_column(bytes, start))
}

/// The text, if the bytes are UTF-8 and hold anything.
fn text_of(bytes: &[u8]) -> Result<&str, Mistake> {
    if is_utf16(bytes) {
        return Err((0, JsonErrorKind::Utf16));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err((0, JsonErrorKind::ByteOrderMark));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| (e.valid_up_to(), JsonErrorKind::NotUtf8))?;
    if text.bytes().all(is_space) {
        return Err((bytes.len(), JsonErrorKind::Empty));
    }
    Ok(text)
}

/// UTF-16 by its byte order mark, or because every other byte of its first two characters is zero
/// (the first two characters of a JSON text that is no single digit are ASCII; RFC 4627, section 3).
fn is_utf16(bytes: &[u8]) -> bool {
    let whole = bytes.len().is_multiple_of(2);
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [0, b] => *b != 0,
        [a, 0] => *a != 0,
        [0, b, 0, d, ..] => whole && *b != 0 && *d != 0,
        [a, 0, c, 0, ..] => whole && *a != 0 && *c != 0,
        _ => false,
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The input, and how far serde_json has come in it.
struct Reader<'i> {
    input: &'i str,
    consumed: Cell<usize>,
    /// What a seed or visitor found wrong: kept here because a serde error carries only a message.
    mistake: RefCell<Option<Mistake>>,
}

impl<'i> Reader<'i> {
    const fn new(input: &'i str) -> Self {
        Self { input, consumed: Cell::new(0), mistake: RefCell::new(None) }
    }

    /// Leaves a mistake for [`parse`] and makes serde_json stop.
    fn refuse<E: de::Error>(&self, mistake: Mistake) -> E {
        *self.mistake.borrow_mut() = Some(mistake);
        E::custom("refused")
    }

    fn after_space(&self, from: usize) -> usize {
        from + self.input.bytes().skip(from).take_while(|b| is_space(*b)).count()
    }

    /// A departure from the grammar that serde_json found by itself, at the byte it took last.
    fn explain(&self, error: &serde_json::Error) -> Mistake {
        if error.is_eof() {
            return (self.input.len(), JsonErrorKind::UnexpectedEnd);
        }
        let words = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let words = words.strip_suffix(&place).unwrap_or(&words);
        (self.consumed.get() - 1, JsonErrorKind::Syntax(words.to_owned()))
    }
}

/// Hands the input to serde_json byte by byte, which tells where it is.
struct Counted<'r, 'i>(&'r Reader<'i>);

impl io::Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.0.consumed.get();
        match (self.0.input.as_bytes().get(at), buffer.first_mut()) {
            (Some(byte), Some(place)) => {
                *place = *byte;
                self.0.consumed.set(at + 1);
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}

/// Reads a value at a depth; the outermost array or object has depth 1.
#[derive(Clone, Copy)]
struct Value<'r, 'i> {
    reader: &'r Reader<'i>,
    depth: usize,
    /// Whether serde_json has already taken the value's first byte: before the elements of an array
    /// it has, to see whether there is one; after a colon and at the top it has not.
    looked_ahead: bool,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        let Reader { input, consumed, .. } = self.reader;
        let start =
            if self.looked_ahead { consumed.get() - 1 } else { self.reader.after_space(consumed.get()) };
        let opens = matches!(input.as_bytes().get(start), Some(b'[' | b'{'));
        if opens && self.depth > MAX_DEPTH {
            return Err(self.reader.refuse((start, JsonErrorKind::TooDeep)));
        }
        token::check(input, start).map_err(|mistake| self.reader.refuse::<D::Error>(mistake))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without floats")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value).map(Json::Integer).map_err(E::custom)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let element = Self { depth: self.depth + 1, looked_ahead: true, ..self };
        let mut items = Vec::new();
        while let Some(item) = elements.next_element_seed(element)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let value = Self { depth: self.depth + 1, looked_ahead: false, ..self };
        let mut members = Object::new();
        while let Some((start, key)) = entries.next_key_seed(Key(self.reader))? {
            match members.entry(key) {
                Entry::Vacant(place) => place.insert(entries.next_value_seed(value)?),
                Entry::Occupied(there) => {
                    let kind = JsonErrorKind::DuplicateKey(there.key().clone());
                    return Err(self.reader.refuse((start, kind)));
                }
            };
        }
        Ok(Json::Object(members))
    }
}

/// Reads a key together with the byte where it starts; serde_json has taken its first quote.
struct Key<'r, 'i>(&'r Reader<'i>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = (usize, String);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let start = self.0.consumed.get() - 1;
        token::check(self.0.input, start).map_err(|mistake| self.0.refuse::<D::Error>(mistake))?;
        <String as de::Deserialize>::deserialize(deserializer).map(|key| (start, key))
    }
}

/// Finds the byte where a member of the outermost object begins.
struct Search<'r, 'i> {
    reader: &'r Reader<'i>,
    name: &'r str,
}

impl<'de> Visitor<'de> for Search<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some((start, key)) = entries.next_key_seed(Key(self.reader))? {
            entries.next_value::<de::IgnoredAny>()?;
            if key == self.name {
                found = found.or(Some(start));
            }
        }
        Ok(found)
    }
}
