//! JSON as it came: what a mistaken implementation that does not sort still has in hand.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::super::canonical::Json;

/// A JSON value whose members stand in the order in which they came.
pub(super) enum Uploaded {
    Scalar(Json),
    Array(Vec<Uploaded>),
    Object(Vec<(String, Uploaded)>),
}

impl<'de> Deserialize<'de> for Uploaded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Uploaded;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value without floats and duplicate keys")
            }

            fn visit_unit<E>(self) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::Bool(value)))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::Integer(value)))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Uploaded, E> {
                i64::try_from(value).map_err(E::custom).and_then(|value| self.visit_i64(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Uploaded, E> {
                Ok(Uploaded::Scalar(Json::String(value.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Uploaded, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = elements.next_element()? {
                    items.push(item);
                }
                Ok(Uploaded::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Uploaded, A::Error> {
                let mut members: Vec<(String, Uploaded)> = Vec::new();
                while let Some((key, value)) = entries.next_entry()? {
                    if members.iter().any(|(known, _)| *known == key) {
                        return Err(serde::de::Error::custom("a key is there twice"));
                    }
                    members.push((key, value));
                }
                Ok(Uploaded::Object(members))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
