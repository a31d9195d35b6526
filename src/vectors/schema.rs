//! JSON Schemas (2020-12) of the published files, made from their types.

use std::sync::LazyLock;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::document::{Document, SCHEMA_VERSION};
use super::generate::to_text;
use super::manifest::Manifest;
use super::subject::{SUBJECTS, Subject};
use crate::exchanges::Exchanges;

/// Every schema, with its path below the directory of the files.
pub fn all() -> Vec<(String, Value)> {
    let file = |name: &str| format!("schemas/{name}.schema.json");
    let of_subjects = SUBJECTS.iter().map(|row| (file(row.subject.name()), of_subject(row.subject)));
    let others = [("exchanges", exchanges()), ("manifest", manifest())];
    of_subjects.chain(others.map(|(name, schema)| (file(name), schema))).collect()
}

/// The text of each, made once.
pub(super) fn texts() -> &'static [(String, String)] {
    static TEXTS: LazyLock<Vec<(String, String)>> =
        LazyLock::new(|| all().into_iter().map(|(file, schema)| (file, to_text(&schema))).collect());
    &TEXTS
}

/// The schema of a file of cases.
fn of_subject(subject: &dyn Subject) -> Value {
    let mut schema = root::<Document>(subject.name());
    let name = subject.name();
    set(&mut schema, "/properties/subject", json!({ "const": name }));
    set(&mut schema, "/properties/schema", json!({ "const": format!("schemas/{name}.schema.json") }));
    set(&mut schema, "/properties/schema_version", json!({ "const": SCHEMA_VERSION }));
    answered(&mut schema, subject);
    let case = at(&mut schema, "/$defs/Case");
    let id = format!("^{}[a-z0-9]+(-[a-z0-9]+)*$", subject.prefix().replace('.', "\\."));
    for key in ["id", "superseded_by"] {
        set(case, &format!("/properties/{key}"), json!({ "type": "string", "pattern": id }));
    }
    let (input, expected) = parts(subject);
    set(case, "/properties/input", input);
    match subject.answer() {
        Some(answer) => computed(case, expected, answer),
        None => verdict_alone(case),
    }
    finished(schema)
}

/// The schema of the manifest.
fn manifest() -> Value {
    let mut schema = root::<Manifest>("manifest");
    set(&mut schema, "/properties/suite", json!({ "const": "capcheck" }));
    set(&mut schema, "/properties/schema_version", json!({ "const": SCHEMA_VERSION }));
    finished(schema)
}

/// The schema of the golden exchanges.
fn exchanges() -> Value {
    let mut schema = root::<Exchanges>("exchanges");
    set(&mut schema, "/properties/subject", json!({ "const": "exchanges" }));
    set(&mut schema, "/properties/schema", json!({ "const": "schemas/exchanges.schema.json" }));
    set(&mut schema, "/properties/schema_version", json!({ "const": SCHEMA_VERSION }));
    finished(schema)
}

/// The file's answer field is the subject's.
fn answered(schema: &mut Value, subject: &dyn Subject) {
    match subject.answer() {
        Some(answer) => {
            set(schema, "/properties/answer", json!({ "const": answer }));
            require(schema, "answer");
        }
        None => drop(members(at(schema, "/properties")).remove("answer")),
    }
}

/// A case of a subject that computes something: `expected` is what, and other answers look like its answer.
fn computed(case: &mut Value, expected: Value, answer: &str) {
    let right = expected.pointer(&format!("/properties/{answer}")).cloned().unwrap_or(Value::Bool(true));
    // A mistake's answer has the type of an answer, but need not look like a right one.
    let mut wrong = right.clone();
    unpatterned(&mut wrong);
    let refused = json!({ "const": "invalid" });
    set(case, "/properties/expected", expected);
    set(
        case,
        "/properties/also",
        json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": right }),
    );
    set(case, "/properties/wrong/additionalProperties", json!({ "anyOf": [wrong, refused] }));
    set(
        case,
        "/allOf",
        json!([
            when("valid", &["expected"], &["failure"]),
            when("invalid", &["failure"], &["expected", "also"]),
            when("either", &["failure", "expected"], &[]),
        ]),
    );
}

/// A case of a subject whose verdict is the answer: nothing is computed.
fn verdict_alone(case: &mut Value) {
    for key in ["expected", "also"] {
        members(at(case, "/properties")).remove(key);
    }
    set(case, "/properties/wrong/additionalProperties", json!({ "enum": ["valid", "invalid"] }));
    set(
        case,
        "/allOf",
        json!([
            when("valid", &[], &["failure"]),
            when("invalid", &["failure"], &[]),
            when("either", &["failure"], &[]),
        ]),
    );
}

/// With this result, these keys must be there, and those must not.
fn when(result: &str, there: &[&str], absent: &[&str]) -> Value {
    let mut then = Map::new();
    if !there.is_empty() {
        then.insert("required".to_owned(), json!(there));
    }
    if !absent.is_empty() {
        let absent: Map<String, Value> = absent.iter().map(|key| ((*key).to_owned(), json!(false))).collect();
        then.insert("properties".to_owned(), absent.into());
    }
    json!({
        "if": { "properties": { "result": { "const": result } }, "required": ["result"] },
        "then": then,
    })
}

/// The schemas of a subject's input, as it is read, and of what is expected, as it is written.
fn parts(subject: &dyn Subject) -> (Value, Value) {
    let inline = |settings: SchemaSettings| settings.with(|settings| settings.inline_subschemas = true);
    let part = |settings: SchemaSettings, pick: fn((Schema, Schema)) -> Schema| {
        let mut generator: SchemaGenerator = inline(settings).into_generator();
        let mut schema = pick(subject.schemas(&mut generator));
        RecursiveTransform(close).transform(&mut schema);
        schema.to_value()
    };
    let read = part(SchemaSettings::draft2020_12().for_deserialize(), |(input, _)| input);
    let written = part(SchemaSettings::draft2020_12().for_serialize(), |(_, expected)| expected);
    (read, written)
}

fn root<T: JsonSchema>(name: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    RecursiveTransform(close).transform(&mut schema);
    schema.insert("title".to_owned(), json!(format!("capcheck vectors: {name}")));
    schema.to_value()
}

/// An object has no key that the schema does not know, and nothing is left to a default.
fn close(schema: &mut Schema) {
    schema.remove("default");
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// The keys of an object are in order, as everywhere in the published files.
fn finished(mut schema: Value) -> Value {
    schema.sort_all_objects();
    schema
}

/// Drops what says how a string looks, and what it means.
fn unpatterned(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.retain(|key, _| key != "pattern" && key != "description");
            members.values_mut().for_each(unpatterned);
        }
        Value::Array(items) => items.iter_mut().for_each(unpatterned),
        _ => {}
    }
}

/// The part of a schema that its type has.
fn at<'v>(schema: &'v mut Value, pointer: &str) -> &'v mut Value {
    schema.pointer_mut(pointer).unwrap_or_else(|| panic!("the schema has no {pointer}"))
}

fn members(schema: &mut Value) -> &mut Map<String, Value> {
    schema.as_object_mut().unwrap_or_else(|| panic!("the schema is no object"))
}

/// Puts a part in place, and keeps the description of that which was there.
fn set(schema: &mut Value, pointer: &str, mut part: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    let parent = members(at(schema, parent));
    let described = parent.get(key).and_then(|old| old.get("description")).cloned();
    if let (Some(description), Value::Object(part)) = (described, &mut part) {
        part.insert("description".to_owned(), description);
    }
    parent.insert(key.to_owned(), part);
}

fn require(schema: &mut Value, key: &str) {
    if let Some(keys) = at(schema, "/required").as_array_mut() {
        keys.push(json!(key));
    }
}
