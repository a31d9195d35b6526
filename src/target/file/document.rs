//! A target file as a sheet of values, each known to its key and fit for it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::spec::binding::{Operation, Route};
use crate::target::keys::{ACCOUNT, KEYS, SECTIONS, find, nearest, place};

use super::value::{Value, Wrong, kind, read};

/// The values that a file gives, by section and name.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    entries: BTreeMap<(&'static str, &'static str), Entry>,
}

#[derive(Debug)]
struct Entry {
    at: Range<usize>,
    value: Value,
}

/// One getter per kind of value: the value of a key, if the file gives it.
macro_rules! getters {
    ($($getter:ident: $variant:ident -> $type:ty,)*) => {$(
        pub(super) fn $getter(&self, section: &str, name: &str) -> Option<&$type> {
            match &self.entry(section, name)?.value {
                Value::$variant(value) => Some(value),
                _ => None,
            }
        }
    )*};
}

impl Sheet {
    /// Reads a whole document: the keys at the top, and the sections.
    pub(super) fn document(top: &DeTable<'_>) -> (Self, Vec<Wrong>) {
        let mut sheet = Self::default();
        let mut wrong = Vec::new();
        let mut plain = DeTable::new();
        for (name, value) in top {
            let section = SECTIONS.iter().find(|section| **section == name.get_ref().as_ref());
            match (section, value.get_ref()) {
                (Some(section), DeValue::Table(table)) => sheet.read(section, table, &mut wrong),
                (Some(section), other) => wrong.push(Wrong {
                    at: value.span(),
                    message: format!("{section} is a section: write [{section}], found {}", kind(other)),
                }),
                (None, DeValue::Table(_)) => {
                    wrong.push(Wrong { at: name.span(), message: unknown_section(name.get_ref()) })
                }
                (None, _) => {
                    plain.insert(name.clone(), value.clone());
                }
            }
        }
        sheet.read("", &plain, &mut wrong);
        (sheet, wrong)
    }

    /// Reads the keys of one section.
    pub(super) fn read(&mut self, section: &'static str, table: &DeTable<'_>, wrong: &mut Vec<Wrong>) {
        for (name, value) in table {
            let Some(key) = find(section, name.get_ref()) else {
                wrong.push(Wrong { at: name.span(), message: unknown_key(section, name.get_ref()) });
                continue;
            };
            let value = read(key, value).unwrap_or_else(|more| {
                wrong.extend(more);
                Value::Unfit
            });
            self.entries.insert((key.section, key.name), Entry { at: name.span(), value });
        }
    }

    /// Where a key stands, if it is there, fit or not.
    pub(super) fn at(&self, section: &str, name: &str) -> Option<Range<usize>> {
        self.entry(section, name).map(|entry| entry.at.clone())
    }

    /// Where the first key of a section stands, fit or not, if it has any.
    pub(super) fn begins(&self, section: &str) -> Option<Range<usize>> {
        let keys = self.entries.iter().filter(|((of, _), _)| *of == section);
        keys.map(|(_, entry)| entry.at.clone()).min_by_key(|at| at.start)
    }

    fn entry(&self, section: &str, name: &str) -> Option<&Entry> {
        let key = find(section, name);
        debug_assert!(key.is_some(), "{} is no key", place(section, name));
        key.and_then(|key| self.entries.get(&(key.section, key.name)))
    }

    getters! {
        url: Url -> Url,
        text: Text -> String,
        texts: Texts -> Vec<Spanned<String>>,
        operations: Operations -> BTreeSet<Operation>,
        accounts: Accounts -> Vec<Spanned<Sheet>>,
        address: Address -> IpAddr,
        ports: Ports -> RangeInclusive<u16>,
        flag: Flag -> bool,
        count: Count -> usize,
        seconds: Seconds -> Duration,
        route: Route -> Route,
    }
}

fn unknown_section(name: &str) -> String {
    match nearest(name, SECTIONS) {
        Some(section) => format!("unknown section [{name}]: did you mean [{section}]?"),
        None => {
            let known: Vec<String> = SECTIONS.iter().map(|s| format!("[{s}]")).collect();
            format!("unknown section [{name}]: there are {}", known.join(", "))
        }
    }
}

fn unknown_key(section: &str, name: &str) -> String {
    let unknown = match place(section, &format!("{name:?}")) {
        place if section.is_empty() => format!("unknown key {place} at the top"),
        place => format!("unknown key {place}"),
    };
    // The same word elsewhere is likelier meant than a similar word here.
    if let Some(elsewhere) = KEYS.iter().find(|key| key.name == name) {
        return format!("{unknown}: did you mean {}?", elsewhere.place());
    }
    let here = KEYS.iter().filter(|key| key.section == section);
    if let Some(near) = nearest(name, here.clone().map(|key| key.name)) {
        return format!("{unknown}: did you mean {near:?}?");
    }
    let anywhere = KEYS.iter().filter(|key| key.section != ACCOUNT);
    if let Some(near) = nearest(name, anywhere.clone().map(|key| key.name)) {
        let place = anywhere.clone().find(|key| key.name == near).map(|key| key.place());
        return format!("{unknown}: did you mean {}?", place.unwrap_or_default());
    }
    format!("{unknown}: there are {}", here.map(|key| key.name).collect::<Vec<_>>().join(", "))
}
