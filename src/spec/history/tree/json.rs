//! Smaller JSON.

use crate::spec::canonical::{Json, Object};

/// Values that are like this one, but shorter as text: large cuts first.
pub(super) fn smaller(value: &Json) -> Vec<Json> {
    match value {
        Json::Null | Json::Bool(_) => vec![],
        Json::Integer(n) => {
            if *n == 0 {
                vec![]
            } else {
                vec![Json::Integer(0)]
            }
        }
        Json::String(text) => parts(text).into_iter().map(Json::String).collect(),
        Json::Array(items) => smaller_array(items),
        Json::Object(members) => {
            let hoisted = members.values().filter(|value| matches!(value, Json::Object(_))).cloned();
            hoisted.chain(smaller_object(members).into_iter().map(Json::Object)).collect()
        }
    }
}

/// The same of an object that must stay one: half of its members, one member less, a smaller key or value.
pub(super) fn smaller_object(members: &Object) -> Vec<Object> {
    let all: Vec<(&String, &Json)> = members.iter().collect();
    let (front, back) = all.split_at(all.len() / 2);
    let owned = |some: &[(&String, &Json)]| some.iter().map(|(k, v)| ((*k).clone(), (*v).clone())).collect();
    let mut found: Vec<Object> = if all.len() > 1 { vec![owned(front), owned(back)] } else { Vec::new() };
    let with = |key: &String, member: Option<(String, Json)>| {
        let mut changed = members.clone();
        changed.remove(key);
        changed.extend(member);
        changed
    };
    found.extend(all.iter().map(|(key, _)| with(key, None)));
    for (key, value) in all {
        let values = smaller(value).into_iter().map(|value| (key.clone(), value));
        let keys = parts(key).into_iter().filter(|part| !members.contains_key(part));
        found.extend(
            values.chain(keys.map(|part| (part, value.clone()))).map(|member| with(key, Some(member))),
        );
    }
    found
}

fn smaller_array(items: &[Json]) -> Vec<Json> {
    let (front, back) = items.split_at(items.len() / 2);
    let mut found = if items.len() > 1 { vec![front.to_vec(), back.to_vec()] } else { Vec::new() };
    for (at, item) in items.iter().enumerate() {
        let with = |instead: Option<Json>| [&items[..at], instead.as_slice(), &items[at + 1..]].concat();
        found.push(with(None));
        found.extend(smaller(item).into_iter().map(|item| with(Some(item))));
    }
    items.iter().cloned().chain(found.into_iter().map(Json::Array)).collect()
}

/// Nothing of a text, its halves, and all but one of its characters.
fn parts(text: &str) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    if all.is_empty() {
        return Vec::new();
    }
    let (front, back) = all.split_at(all.len() / 2);
    let without = |at: usize| [&all[..at], &all[at + 1..]].concat();
    let some = [Vec::new(), front.to_vec(), back.to_vec()].into_iter().chain((0..all.len()).map(without));
    some.map(String::from_iter).collect()
}
