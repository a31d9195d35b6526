//! The mistakes that implementers make with the hash, and the wrong hash that each yields.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::canonical::Json;
use super::capability::CapabilitySet;

/// A mistake: its permanent name, what was done, and the hash it yields for a set.
pub struct Mistake {
    /// A permanent word, as vectors name it.
    pub name: &'static str,
    /// What was done instead, as in "hashed, but …".
    pub done: &'static str,
    yields: fn(&CapabilitySet) -> String,
}

/// Every mistake that can be recognised by the hash that it yields.
pub const MISTAKES: &[Mistake] = &[
    Mistake { name: "padded", done: "padded with `=`", yields: |set| STANDARD.encode(digest(set)) },
    Mistake {
        name: "url-safe",
        done: "in the URL-safe alphabet",
        yields: |set| URL_SAFE_NO_PAD.encode(digest(set)),
    },
    Mistake {
        name: "url-safe-padded",
        done: "in the URL-safe alphabet and padded",
        yields: |set| URL_SAFE.encode(digest(set)),
    },
    Mistake { name: "hex", done: "as hex instead of Base64", yields: |set| hex(&digest(set)) },
    Mistake {
        name: "base64-of-hex",
        done: "as Base64 of the hex digits",
        yields: |set| base64::engine::general_purpose::STANDARD_NO_PAD.encode(hex(&digest(set))),
    },
    Mistake {
        name: "utf16-order",
        done: "with keys sorted by UTF-16 unit instead of code point",
        yields: |set| of(&render(&set.to_json(), &Style { utf16: true, ..Style::default() })),
    },
    Mistake {
        name: "spaces",
        done: "with spaces after `:` and `,`",
        yields: |set| of(&render(&set.to_json(), &Style { spaces: true, ..Style::default() })),
    },
    Mistake {
        name: "escaped-non-ascii",
        done: "with non-ASCII characters escaped as `\\u`",
        yields: |set| of(&render(&set.to_json(), &Style { escape: true, ..Style::default() })),
    },
    Mistake {
        name: "escaped-slashes",
        done: "with `/` escaped as `\\/`",
        yields: |set| of(&render(&set.to_json(), &Style { slashes: true, ..Style::default() })),
    },
    Mistake {
        name: "names-only",
        done: "over the list of names instead of the object",
        yields: |set| {
            of(&render(
                &Json::Array(set.names().map(|n| Json::String(n.to_owned())).collect()),
                &Style::default(),
            ))
        },
    },
    Mistake {
        name: "trailing-newline",
        done: "with a newline at the end",
        yields: |set| of(&(render(&set.to_json(), &Style::default()) + "\n")),
    },
    Mistake {
        name: "quoted",
        done: "over the JSON text as a JSON string",
        yields: |set| of(&serde_json::Value::from(render(&set.to_json(), &Style::default())).to_string()),
    },
];

/// What was done to this set to arrive at this hash, if it is a known mistake.
pub fn recognise(set: &CapabilitySet, hash: &str) -> Option<&'static str> {
    let right = set.hash();
    MISTAKES
        .iter()
        .map(|mistake| (mistake.done, (mistake.yields)(set)))
        .find(|(_, wrong)| wrong == hash && wrong != right.as_str())
        .map(|(done, _)| done)
}

/// The wrong hashes that known mistakes yield for this set, by name, where they differ from the right one.
pub fn wrong_hashes(set: &CapabilitySet) -> impl Iterator<Item = (&'static str, String)> {
    let right = set.hash();
    MISTAKES
        .iter()
        .map(|mistake| (mistake.name, (mistake.yields)(set)))
        .filter(move |(_, wrong)| wrong != right.as_str())
}

fn digest(set: &CapabilitySet) -> [u8; 32] {
    Sha256::digest(set.canonical_bytes()).into()
}

fn of(text: &str) -> String {
    super::hash::CapabilityHash::of(text.as_bytes()).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a text deviates from canonical.
#[derive(Default)]
struct Style {
    utf16: bool,
    spaces: bool,
    escape: bool,
    slashes: bool,
}

fn render(value: &Json, style: &Style) -> String {
    let gap = if style.spaces { " " } else { "" };
    let comma = format!(",{gap}");
    match value {
        Json::Array(items) => {
            format!("[{}]", items.iter().map(|item| render(item, style)).collect::<Vec<_>>().join(&comma))
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if style.utf16 {
                members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            }
            let member = |(key, value): (&String, &Json)| {
                format!("{}:{gap}{}", string(key, style), render(value, style))
            };
            format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(&comma))
        }
        Json::String(text) => string(text, style),
        plain => String::from_utf8_lossy(&super::canonical::to_bytes(plain)).into_owned(),
    }
}

fn string(text: &str, style: &Style) -> String {
    let mut out =
        String::from_utf8_lossy(&super::canonical::to_bytes(&Json::String(text.to_owned()))).into_owned();
    if style.slashes {
        out = out.replace('/', "\\/");
    }
    if style.escape {
        let unit = |unit: u16| format!("\\u{unit:04x}");
        out = out
            .chars()
            .map(|c| match c.is_ascii() {
                true => c.to_string(),
                false => c.encode_utf16(&mut [0; 2]).iter().map(|u| unit(*u)).collect(),
            })
            .collect();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_recognised_by_its_hash() {
        let mut parameters = super::super::canonical::Object::new();
        for key in ["\u{fb33}", "\u{1f602}", "a/b"] {
            parameters.insert(key.to_owned(), Json::Integer(1));
        }
        let mut set = CapabilitySet::of(["m.cap.turnserver.v1"]);
        // Salted until the hash holds a character that the alphabets spell differently.
        for salt in 0.. {
            set.insert("m.cap.tricky", parameters.clone());
            if !set.hash().is_url_plain() {
                break;
            }
            parameters.insert(format!("{salt}"), Json::Null);
        }
        let found: Vec<_> = wrong_hashes(&set).map(|(name, _)| name).collect();
        let names: Vec<_> = MISTAKES.iter().map(|m| m.name).collect();
        assert_eq!(found, names);
        for (mistake, (_, wrong)) in MISTAKES.iter().zip(wrong_hashes(&set)) {
            assert_eq!(recognise(&set, &wrong), Some(mistake.done));
        }
        assert_eq!(recognise(&set, set.hash().as_str()), None);
    }
}
