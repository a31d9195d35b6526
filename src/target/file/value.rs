//! A value of a target file: read as its key's kind asks, or refused with what was expected.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use ruma_common::{ServerName, UserId};
use rustls::pki_types;
use toml::Spanned;
use toml::de::{DeArray, DeValue};
use url::Url;

use crate::spec::binding::{Operation, Route};
use crate::target::keys::{Key, Kind, nearest};
use crate::target::url::base_url;

use super::document::Sheet;
use super::federation::bare;

/// Error codes that mean something else, so that a refusal cannot be told by them (protocol: the refusal).
const TAKEN_CODES: [&str; 7] = [
    "M_MISSING_TOKEN",
    "M_UNKNOWN_TOKEN",
    "M_UNAUTHORIZED",
    "M_LIMIT_EXCEEDED",
    "M_UNRECOGNIZED",
    "M_RESOURCE_LIMIT_EXCEEDED",
    "M_USER_LIMIT_EXCEEDED",
];

/// A value of a key.
#[derive(Debug)]
pub(super) enum Value {
    /// It does not fit, which has been complained of: the key is there all the same.
    Unfit,
    Url(Url),
    Text(String),
    Texts(Vec<Spanned<String>>),
    Operations(BTreeSet<Operation>),
    Accounts(Vec<Spanned<Sheet>>),
    Address(IpAddr),
    Ports(RangeInclusive<u16>),
    Flag(bool),
    Count(usize),
    Seconds(Duration),
    Route(Route),
}

/// What is wrong, and where in the text.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

/// Reads a value as its key's kind asks.
pub(super) fn read(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Value, Vec<Wrong>> {
    if let (Kind::Accounts, Some(items)) = (key.kind, value.get_ref().as_array()) {
        return accounts(key, items);
    }
    read_one(key, value).map_err(|wrong| vec![wrong])
}

fn read_one(key: &Key, spanned: &Spanned<DeValue<'_>>) -> Result<Value, Wrong> {
    let value = spanned.get_ref();
    let misfit = |at: &Spanned<DeValue<'_>>| Wrong {
        at: at.span(),
        message: format!(
            "{} must be {}, found {}",
            key.place(),
            key.kind.expected(),
            found(key, at.get_ref())
        ),
    };
    let says = |message: String| Wrong { at: spanned.span(), message: format!("{}: {message}", key.place()) };
    let text = || value.as_str().filter(|text| !text.trim().is_empty()).ok_or_else(|| misfit(spanned));
    let proper = |fits: fn(&str) -> bool| {
        text().and_then(|t| if fits(t) { Ok(Value::Text(t.to_owned())) } else { Err(misfit(spanned)) })
    };
    match key.kind {
        Kind::Url => base_url(text()?).map(Value::Url).map_err(|error| says(error.to_string())),
        Kind::Word(words) => word(key, text()?, words).map(|w| Value::Text(w.to_owned())).map_err(says),
        Kind::ServerName => proper(|t| <&ServerName>::try_from(t).is_ok()),
        Kind::Prefix => proper(|t| t.chars().all(is_localpart)),
        Kind::KeyPath => proper(|t| t.split('.').all(|part| !part.is_empty())),
        Kind::RefusalCode => proper(|t| !TAKEN_CODES.contains(&t)),
        Kind::Variable => proper(|t| !t.contains(['=', '\0', ' '])),
        Kind::Text | Kind::Secret | Kind::File => proper(|_| true),
        Kind::Host => proper(is_host),
        Kind::Address => text()?.parse().map(Value::Address).map_err(|_| misfit(spanned)),
        Kind::Ports => ports(value).map(Value::Ports).ok_or_else(|| misfit(spanned)),
        Kind::Route(variables) => {
            Route::parse(text()?, variables).map(Value::Route).map_err(|error| says(error.to_string()))
        }
        Kind::Flag => value.as_bool().map(Value::Flag).ok_or_else(|| misfit(spanned)),
        Kind::Count { least, most } => whole(value)
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| (least..=most).contains(n))
            .map(Value::Count)
            .ok_or_else(|| misfit(spanned)),
        Kind::RefusalStatus => whole(value)
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| (400..500).contains(n) && ![401, 405, 429].contains(n))
            .map(Value::Count)
            .ok_or_else(|| misfit(spanned)),
        Kind::Seconds { least, most } => number(value)
            .filter(|n| (least..=most).contains(n))
            .map(|n| Value::Seconds(Duration::from_secs_f64(n)))
            .ok_or_else(|| misfit(spanned)),
        Kind::Operations => {
            let names = texts(value, |_| true).map_err(|item| misfit(item.unwrap_or(spanned)))?;
            let known = Operation::ALL.map(Operation::name);
            let operation = |name: &Spanned<String>| {
                word(key, name.get_ref(), &known)
                    .map(|found| Operation::ALL[known.iter().position(|k| *k == found).unwrap_or_default()])
                    .map_err(|message| Wrong {
                        at: name.span(),
                        message: format!("{}: {message}", key.place()),
                    })
            };
            names.iter().map(operation).collect::<Result<_, _>>().map(Value::Operations)
        }
        Kind::Secrets => {
            texts(value, |_| true).map(Value::Texts).map_err(|item| misfit(item.unwrap_or(spanned)))
        }
        Kind::UserIds => texts(value, |t| <&UserId>::try_from(t).is_ok())
            .map(Value::Texts)
            .map_err(|item| misfit(item.unwrap_or(spanned))),
        Kind::Accounts => Err(misfit(spanned)),
    }
}

fn word<'w>(key: &Key, text: &str, words: &[&'w str]) -> Result<&'w str, String> {
    if let Some(word) = words.iter().find(|word| **word == text) {
        return Ok(word);
    }
    if (key.name, text) == ("dialect", "list") {
        return Err("\"list\" (the draft of 2015-01) is not in this version; it knows \"union\"".to_owned());
    }
    Err(match nearest(text, words.iter().copied()) {
        Some(near) => format!("unknown word {text:?}: did you mean {near:?}?"),
        None => {
            let known: Vec<String> = words.iter().map(|w| format!("{w:?}")).collect();
            format!("unknown word {text:?}: it is one of {}", known.join(", "))
        }
    })
}

/// The strings of an array; an error names the item that does not fit, or nothing if there is no array.
fn texts<'v, 'i>(
    value: &'v DeValue<'i>,
    fits: fn(&str) -> bool,
) -> Result<Vec<Spanned<String>>, Option<&'v Spanned<DeValue<'i>>>> {
    let items = value.as_array().ok_or(None)?;
    items
        .iter()
        .map(|item| match item.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() && fits(text) => {
                Ok(Spanned::new(item.span(), text.to_owned()))
            }
            _ => Err(Some(item)),
        })
        .collect()
}

fn accounts(key: &Key, items: &DeArray<'_>) -> Result<Value, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let mut sheets = Vec::new();
    for item in items {
        let Some(table) = item.get_ref().as_table() else {
            wrong.extend(read_one(key, item).err());
            continue;
        };
        let mut sheet = Sheet::default();
        sheet.read(crate::target::keys::ACCOUNT, table, &mut wrong);
        sheets.push(Spanned::new(item.span(), sheet));
    }
    if wrong.is_empty() { Ok(Value::Accounts(sheets)) } else { Err(wrong) }
}

/// Localparts of new users (Matrix, appendix "User Identifiers").
fn is_localpart(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "._=/+-".contains(c)
}

/// What a certificate can be for, and what can stand before the port in a server name.
fn is_host(text: &str) -> bool {
    match pki_types::ServerName::try_from(bare(text)) {
        Ok(pki_types::ServerName::IpAddress(address)) => {
            matches!(address, pki_types::IpAddr::V6(_)) || bare(text) == text
        }
        Ok(_) => <&ServerName>::try_from(text).is_ok(),
        Err(_) => false,
    }
}

/// `"9000-9031"`, `"9000"` or 9000.
fn ports(value: &DeValue<'_>) -> Option<RangeInclusive<u16>> {
    let (first, last) = match value.as_str() {
        Some(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            (first.trim().parse().ok()?, last.trim().parse().ok()?)
        }
        None => whole(value).and_then(|n| u16::try_from(n).ok()).map(|port| (port, port))?,
    };
    (first > 0 && first <= last).then_some(first..=last)
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value.as_float() {
        Some(float) => float.as_str().parse().ok(),
        None => whole(value).and_then(|n| u32::try_from(n).ok()).map(f64::from),
    }
}

/// What was found, as a phrase; of secrets the type alone.
fn found(key: &Key, value: &DeValue<'_>) -> String {
    let secret = matches!(key.kind, Kind::Secret | Kind::Secrets | Kind::Accounts);
    match value {
        DeValue::String(text) if text.trim().is_empty() => "an empty string".to_owned(),
        DeValue::String(text) if !secret => format!("the string {text:?}"),
        DeValue::Integer(n) if !secret => n.to_string(),
        DeValue::Float(n) if !secret => n.to_string(),
        DeValue::Boolean(flag) if !secret => flag.to_string(),
        other => kind(other),
    }
}

/// What a value is, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> String {
    match value.type_str() {
        vowel @ ("integer" | "array") => format!("an {vowel}"),
        other => format!("a {other}"),
    }
}
