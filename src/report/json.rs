//! The report for programs: the result as JSON, and the schema of it.

use std::io::{self, Write};

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Value, json};

use crate::engine::result::{RunResult, SCHEMA_VERSION};

use super::text;

/// Writes the result as indented JSON with a newline at the end.
///
/// Characters that could play tricks on a terminal are spelled `\uXXXX`: the same JSON, safe to print.
pub fn write(result: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    let json = text::escape_json(&serde_json::to_string_pretty(result)?);
    out.write_all(json.as_bytes())?;
    out.write_all(b"\n")
}

/// The JSON Schema (draft 2020-12) of the report; published as `docs/report.schema.json`.
///
/// Closed: a key that the schema does not know is an error, so that a reader who validates
/// notices a report of another version, or one that somebody has edited.
pub fn schema() -> Value {
    schema_of::<RunResult>("capcheck report", SCHEMA_VERSION)
}

/// The same of any result.
pub(super) fn schema_of<T: JsonSchema>(title: &str, schema_version: u32) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    RecursiveTransform(close).transform(&mut schema);
    schema.insert("title".to_owned(), json!(title));
    if let Some(version) = schema.pointer_mut("/properties/schema_version").and_then(Value::as_object_mut) {
        version.insert("const".to_owned(), json!(schema_version));
    }
    schema.to_value()
}

fn close(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}
