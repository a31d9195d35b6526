//! The hashes in the protocol: each belongs to the bytes beside it, and none stands there unexplained.

use std::collections::BTreeSet;

use capcheck::spec::canonical;
use capcheck::spec::capability::CapabilitySet;
use capcheck::spec::hash::CapabilityHash;
use capcheck::spec::mistake;

use super::markdown;

/// What is wrong with the examples.
pub(super) fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let pairs = [in_blocks(text), in_tables(text), in_requests(text)].concat();
    for (of, shown) in &pairs {
        let right = CapabilityHash::of(of).to_string();
        if right != *shown {
            let of = String::from_utf8_lossy(of);
            faults.push(format!("{of} hashes to {right}, the page says {shown}"));
        }
    }
    faults.extend(escapes(text));
    let explained = explained(text);
    let known = |hash: &str| explained.contains(hash) || KEYS.contains(&hash);
    faults.extend(
        hashes(text)
            .into_iter()
            .filter(|hash| !known(hash))
            .map(|hash| format!("{hash} is of nothing on the page")),
    );
    let shown = hashes(text);
    let unshown =
        messages(text).filter_map(|(_, set)| set).filter(|set| !shown.contains(set.hash().as_str()));
    faults.extend(unshown.map(|set| format!("no hash on the page is that of {:?}", set.to_json())));
    for cut in cut_short(text).filter(|cut| !explained.iter().any(|hash| hash.starts_with(*cut))) {
        faults.push(format!("no hash begins with {cut}"));
    }
    faults.extend(classic_mistakes(text));
    faults
}

/// How many pairs of bytes and hash are found where.
pub(super) fn census(text: &str) -> [usize; 3] {
    [in_blocks(text), in_tables(text), in_requests(text)].map(|pairs| pairs.len())
}

/// The signing key of the Matrix specification's test vectors.
const KEYS: [&str; 2] =
    ["YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1", "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"];

fn is_hash(text: &str) -> bool {
    CapabilityHash::parse(text).is_ok()
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or_default();
    text.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, b| byte << 4 | digit(*b))).collect()
}

/// Blocks in which a line of JSON, or of hexadecimal digits, is followed by its hash.
fn in_blocks(text: &str) -> Vec<(Vec<u8>, String)> {
    let mut pairs = Vec::new();
    for block in markdown::blocks(text) {
        let mut bytes = Vec::new();
        for line in block.lines() {
            match () {
                () if is_hash(line) && !bytes.is_empty() => {
                    pairs.push((std::mem::take(&mut bytes), line.to_owned()))
                }
                () if line.starts_with('{') => bytes = line.as_bytes().to_vec(),
                () if is_hex(line) => bytes.extend(unhex(line)),
                () => bytes.clear(),
            }
        }
    }
    pairs
}

/// Rows in which a cell of JSON is followed by its hash.
fn in_tables(text: &str) -> Vec<(Vec<u8>, String)> {
    let rows = markdown::rows(text);
    let cells = rows.iter().flat_map(|row| row.windows(2));
    cells
        .filter_map(|cells| Some((markdown::code(cells[0])?, markdown::code(cells[1])?)))
        .filter(|(json, hash)| json.starts_with('{') && is_hash(hash))
        .map(|(json, hash)| (json.as_bytes().to_vec(), hash.to_owned()))
        .collect()
}

/// Exchanges that carry a set: the hash stands in the path, the set in the body or the answer.
fn in_requests(text: &str) -> Vec<(Vec<u8>, String)> {
    let mut pairs = Vec::new();
    let mut asked = None;
    for (head, set) in messages(text) {
        if let Some(path) = head.strip_suffix(" HTTP/1.1").and_then(|request| request.split(' ').nth(1)) {
            asked = path.split_once("/sets/").map(|(_, hash)| decoded(hash));
        }
        if let Some((set, hash)) = set.and_then(|set| Some((set, asked.take()?))) {
            pairs.push((set.canonical_bytes(), hash));
        }
    }
    pairs
}

/// The first line of every request and answer, and the set that is its body.
fn messages(text: &str) -> impl Iterator<Item = (&str, Option<CapabilitySet>)> {
    markdown::blocks(text).into_iter().filter(|block| block.contains("HTTP/1.1")).map(|block| {
        let (head, body) = block.split_once("\n\n").unwrap_or((block, ""));
        (head.lines().next().unwrap_or_default(), CapabilitySet::parse(body.trim().as_bytes()).ok())
    })
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Spellings in a path must stand for a hash in the line above them.
fn escapes(text: &str) -> Vec<String> {
    let block = |block: &str| -> Vec<String> {
        let lines: Vec<&str> = block.lines().collect();
        let pairs = lines.windows(2).filter(|pair| is_hash(pair[0]) && pair[1].contains('%'));
        pairs
            .filter(|pair| decoded(pair[1]) != pair[0])
            .map(|pair| format!("{} is not {}", pair[1], pair[0]))
            .collect()
    };
    markdown::blocks(text).into_iter().flat_map(block).collect()
}

/// Every string of the page that looks like a hash, in a path or on its own.
fn hashes(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/%=_-".contains(c)))
        .map(|word| decoded(word.rsplit_once("sets/").map_or(word, |(_, hash)| hash)))
        .filter(|word| is_hash(word) && !is_hex(word))
        .collect()
}

/// Hashes of which the page shows eight characters.
fn cut_short(text: &str) -> impl Iterator<Item = &str> {
    markdown::spans(text).into_iter().filter_map(|span| span.strip_suffix('…')).filter(|cut| cut.len() == 8)
}

/// The JSON of the page: what stands there, and the canonical form of it.
fn texts(text: &str) -> Vec<(String, String)> {
    let lines = markdown::blocks(text)
        .into_iter()
        .flat_map(|block| block.lines().chain([block.trim()]).collect::<Vec<_>>());
    let bodies =
        markdown::blocks(text).into_iter().filter_map(|block| Some(block.split_once("\n\n")?.1.trim()));
    let hex = markdown::blocks(text)
        .into_iter()
        .map(|block| unhex(&block.lines().filter(|line| is_hex(line)).collect::<String>()));
    let plain = lines
        .chain(bodies)
        .chain(markdown::spans(text))
        .filter(|json| json.starts_with('{'))
        .map(str::to_owned);
    plain
        .chain(hex.filter_map(|bytes| String::from_utf8(bytes).ok()))
        .filter_map(|json| {
            let canonical = canonical::to_bytes(&canonical::parse(json.as_bytes()).ok()?);
            Some((json, String::from_utf8(canonical).ok()?))
        })
        .collect()
}

/// Every hash that the page's own JSON explains, right or by a known mistake.
fn explained(text: &str) -> BTreeSet<String> {
    let of = |text: &str| CapabilityHash::of(text.as_bytes()).to_string();
    let mut explained: BTreeSet<String> = described(text).iter().map(|text| of(text)).collect();
    for (json, canonical) in texts(text) {
        explained.insert(of(&canonical));
        explained
            .extend(mistake::MISTAKES.iter().filter_map(|mistake| mistake.hash_of_text(&json, &canonical)));
    }
    explained
}

/// Bytes that the page describes and does not spell out: both letters, the rounded number, either of two duplicates, the unsorted member.
fn described(text: &str) -> Vec<String> {
    let spans = markdown::spans(text);
    let span = |part: &str| spans.iter().find(|span| span.contains(part)).copied().unwrap_or_default();
    let block = |part: &str| {
        markdown::blocks(text)
            .into_iter()
            .flat_map(str::lines)
            .find(|line| line.contains(part))
            .unwrap_or_default()
    };
    let letter = |letter: &str| span("{K:1}").replace('K', &format!("\"{letter}\""));
    let number = span(r#""n":9007199254740993"#).to_owned();
    let rounded = number.replace("993", "992");
    let (first, last) = block(r#""level":2"#).split_once(r#","m.cap.voip.v1""#).unwrap_or_default();
    let unsorted = block(r#""limits":{"a":1,"b":2}"#).replace(r#""a":1,"b":2"#, r#""b":2,"a":1"#);
    vec![
        letter("\u{e9}"),
        letter("e\u{301}"),
        number,
        rounded,
        format!("{first}}}"),
        format!("{{\"m.cap.voip.v1\"{last}"),
        unsorted,
    ]
}

/// The tables of classic mistakes: every value is what a known mistake makes of their example.
fn classic_mistakes(text: &str) -> Vec<String> {
    let sections = markdown::sections(text);
    let body = |anchor: &str| {
        sections.iter().find(|section| section.anchor == anchor).map_or("", |section| section.body)
    };
    let examples: Vec<(String, String)> = ["33-an-example-step-by-step", "34-more-examples"]
        .into_iter()
        .flat_map(|anchor| texts(body(anchor)))
        .collect();
    let wrong: BTreeSet<String> = examples
        .iter()
        .flat_map(|(json, canonical)| {
            mistake::MISTAKES.iter().filter_map(|mistake| mistake.hash_of_text(json, canonical))
        })
        .collect();
    let rows = markdown::rows(body("35-classic-mistakes"));
    let values: Vec<&str> = rows.iter().filter_map(|row| markdown::code(row.last()?)).collect();
    if values.len() < 13 {
        return vec![format!("{} classic mistakes are left", values.len())];
    }
    let twice = |value: &str| value.contains("%25") && explained(text).contains(&decoded(&decoded(value)));
    values
        .into_iter()
        .filter(|value| !wrong.contains(*value) && !twice(value))
        .map(|value| format!("no known mistake yields {value}"))
        .collect()
}
