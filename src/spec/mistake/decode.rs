//! Bytes to code points, also where they are not UTF-8.

use super::lenient::Liberty;

/// Code points, of which some may be halves of surrogate pairs.
pub(super) type Text = Vec<u32>;

/// The code points of a string.
pub(super) fn text_of(string: &str) -> Text {
    string.chars().map(u32::from).collect()
}

/// What a reader that takes this liberty sees in the bytes, or none where it refuses them. A byte order
/// mark in front of UTF-8 is passed over.
pub(super) fn decode(bytes: &[u8], liberty: Liberty) -> Option<Text> {
    if liberty == Liberty::Utf16
        && let Some(text) = utf16(bytes)
    {
        return Some(text_of(&text));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match (std::str::from_utf8(bytes), liberty) {
        (Ok(text), _) => Some(text_of(text)),
        (Err(_), Liberty::Utf8Replaced) => Some(text_of(&String::from_utf8_lossy(bytes))),
        (Err(_), Liberty::Latin1) => Some(bytes.iter().copied().map(u32::from).collect()),
        (Err(_), Liberty::Utf8Unchecked) => unchecked(bytes),
        (Err(_), _) => None,
    }
}

/// UTF-16, of either order: by its mark, or because one of the first two bytes is zero.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (little, bytes) = match bytes {
        [0xff, 0xfe, rest @ ..] => (true, rest),
        [0xfe, 0xff, rest @ ..] => (false, rest),
        [0, 1..=255, ..] => (false, bytes),
        [1..=255, 0, ..] => (true, bytes),
        _ => return None,
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    let units: Vec<u16> = pairs.iter().map(unit).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
}

/// By arithmetic alone: the first byte says how long a character is, and neither overlong forms nor
/// surrogates are looked for.
fn unchecked(bytes: &[u8]) -> Option<Text> {
    let mut bytes = bytes.iter().copied();
    let mut text = Text::new();
    while let Some(first) = bytes.next() {
        let (mut point, more) = match first {
            0..=0x7f => (u32::from(first), 0),
            0xc0..=0xdf => (u32::from(first & 0x1f), 1),
            0xe0..=0xef => (u32::from(first & 0x0f), 2),
            0xf0..=0xf7 => (u32::from(first & 0x07), 3),
            _ => return None,
        };
        for _ in 0..more {
            let next = bytes.next().filter(|next| next & 0xc0 == 0x80)?;
            point = point << 6 | u32::from(next & 0x3f);
        }
        text.push(point);
    }
    text.iter().all(|point| *point <= 0x10_ffff).then_some(text)
}

/// The bytes of a code point: UTF-8, stretched to surrogates.
pub(super) fn encode(point: u32, out: &mut Vec<u8>) {
    let continuation = |shift: u32| 0x80 | u8::try_from(point >> shift & 0x3f).unwrap_or_default();
    match char::from_u32(point) {
        Some(c) => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        // Surrogates, U+D800 to U+DFFF, all begin with ED.
        None => out.extend([0xed, continuation(6), continuation(0)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], liberty: Liberty) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        decode(bytes, liberty)?.into_iter().for_each(|point| encode(point, &mut out));
        Some(out)
    }

    #[test]
    fn reads_utf8_and_passes_a_mark_over() {
        let text = "a\u{e9}\u{fb33}\u{1f602}".as_bytes();
        for liberty in [Liberty::None, Liberty::Latin1, Liberty::Utf8Unchecked, Liberty::Utf8Replaced] {
            assert_eq!(read(text, liberty).as_deref(), Some(text), "{liberty:?}");
        }
        assert_eq!(read(b"\xef\xbb\xbf{}", Liberty::None).unwrap(), b"{}");
        assert_eq!(read(b"a\xff", Liberty::None), None);
    }

    #[test]
    fn takes_other_bytes_as_each_liberty_does() {
        assert_eq!(read(b"a\xff", Liberty::Utf8Replaced).unwrap(), "a\u{fffd}".as_bytes());
        assert_eq!(
            read(b"\xf0\x9f\x98\"", Liberty::Utf8Replaced).unwrap(),
            "\u{fffd}\"".as_bytes(),
            "one for what begins a character"
        );
        assert_eq!(
            read(b"\xed\xa0\x80", Liberty::Utf8Replaced).unwrap(),
            "\u{fffd}\u{fffd}\u{fffd}".as_bytes()
        );
        assert_eq!(read(b"caf\xe9", Liberty::Latin1).unwrap(), "caf\u{e9}".as_bytes());
        assert_eq!(read(b"\xc0\xaf", Liberty::Utf8Unchecked).unwrap(), b"/");
        assert_eq!(read(b"\xed\xa0\x80", Liberty::Utf8Unchecked).unwrap(), b"\xed\xa0\x80");
        for refused in [&b"\xff"[..], b"\x80", b"\xe6\x97\"", b"\xc3", b"\xf7\xbf\xbf\xbf"] {
            assert_eq!(read(refused, Liberty::Utf8Unchecked), None, "{refused:x?}");
        }
    }

    #[test]
    fn reads_utf16_in_either_order() {
        for bytes in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}", b"{\0}\0", b"\0{\0}"] {
            assert_eq!(read(bytes, Liberty::Utf16).unwrap(), b"{}");
        }
        assert_eq!(read(b"\xff\xfe\0\xd8", Liberty::Utf16), None, "half a pair");
    }
}
