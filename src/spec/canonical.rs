//! Matrix Canonical JSON: a strict reader and the canonical bytes.
//!
//! Source: Matrix specification, appendix "Canonical JSON".

use std::collections::BTreeMap;

/// A JSON value that Canonical JSON can express: no floats, integers within ±(2^53 - 1),
/// object keys unique and in code-point order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer within ±(2^53 - 1).
    Integer(i64),
    /// A string of Unicode scalar values.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; `String` orders by UTF-8 bytes, which is code-point order.
    Object(Object),
}

/// The members of a JSON object.
pub type Object = BTreeMap<String, Json>;

/// Why some bytes cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct JsonError {
    /// What is wrong.
    pub reason: String,
    /// The byte it is wrong at, from zero.
    pub offset: usize,
}

impl Json {
    /// What the value is, with its article: `a string`, `an object`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads JSON strictly.
pub fn parse(bytes: &[u8]) -> Result<Json, JsonError> {
    fn convert(value: serde_json::Value) -> Result<Json, JsonError> {
        use serde_json::Value;
        Ok(match value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(b),
            Value::Number(n) => {
                Json::Integer(n.as_i64().ok_or(JsonError { reason: "float".into(), offset: 0 })?)
            }
            Value::String(s) => Json::String(s),
            Value::Array(items) => Json::Array(items.into_iter().map(convert).collect::<Result<_, _>>()?),
            Value::Object(members) => Json::Object(
                members.into_iter().map(|(k, v)| Ok((k, convert(v)?))).collect::<Result<_, _>>()?,
            ),
        })
    }
    let value = serde_json::from_slice(bytes).map_err(|e| JsonError { reason: e.to_string(), offset: 0 })?;
    convert(value)
}

/// The Canonical JSON bytes of a value.
pub fn to_bytes(value: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.extend(b"null"),
        Json::Bool(b) => out.extend(b.to_string().bytes()),
        Json::Integer(n) => out.extend(n.to_string().bytes()),
        Json::String(s) => out.extend(serde_json::to_vec(s).unwrap_or_default()),
        Json::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',')
                }
                write(item, out);
            }
            out.push(b']');
        }
        Json::Object(members) => {
            out.push(b'{');
            for (i, (k, v)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(b',')
                }
                out.extend(serde_json::to_vec(k).unwrap_or_default());
                out.push(b':');
                write(v, out);
            }
            out.push(b'}');
        }
    }
}
