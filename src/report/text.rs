//! Text for people: hostile characters made visible, long text wrapped or cut, numbers readable.
//!
//! Whatever a target said is escaped here before it reaches a terminal or an XML file.

/// The longest phrase that a report prints in one piece, in characters.
const LONGEST_PHRASE: usize = 600;

/// Whether a character could move the cursor, reorder the text around it, or hide.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
        // Noncharacters: two of them are illegal in XML 1.0 and none means anything.
        || matches!(c as u32 & 0xffff, 0xfffe | 0xffff)
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// Makes every hostile character visible, line feeds included: the result is one line.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hostile(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Spells hostile characters in JSON text as `\uXXXX`. Its line feeds stand between values, never in them.
pub(crate) fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if is_hostile(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// [`escape`], and cut to a phrase.
pub(crate) fn phrase(text: &str) -> String {
    cut(&escape(text), LONGEST_PHRASE)
}

/// Cuts to `longest` characters, saying how many are missing.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(longest) else { return text.to_owned() };
    let missing = text[end..].chars().count();
    format!("{}… ({} more)", &text[..end], plural(missing, "character"))
}

/// Cuts to `width` characters, the last one an ellipsis.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Cuts to `width` characters, an ellipsis after the first third of what is left.
pub(crate) fn fit_ends(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let shown = width.saturating_sub(1);
    let (start, end) = (shown / 3, shown - shown / 3);
    text.chars().take(start).chain(['…']).chain(text.chars().skip(length - end)).collect()
}

/// Breaks at spaces into rows of at most `width` characters; a longer word is broken too.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        match rows.last_mut() {
            Some(row) if used + 1 + length <= width => {
                row.push(' ');
                row.push_str(word);
                used += 1 + length;
            }
            _ => {
                rows.extend(chop(word, width));
                used = rows.last().map_or(0, |row| row.chars().count());
            }
        }
    }
    // Spaces at the end of a row show nothing.
    rows.into_iter().map(|row| row.trim_end_matches(' ').to_owned()).collect()
}

/// Rows of `width` characters, at least one.
fn chop(text: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    match characters.len() {
        0 => vec![String::new()],
        _ => characters.chunks(width.max(1)).map(|row| row.iter().collect()).collect(),
    }
}

/// A body as rows of at most `width` characters, escaped, and how many characters did not fit in `rows` rows.
pub(crate) fn block(text: &str, width: usize, rows: usize) -> (Vec<String>, usize) {
    let mut all =
        text.strip_suffix('\n').unwrap_or(text).split('\n').flat_map(|line| chop(&escape(line), width));
    let shown = all.by_ref().take(rows).collect();
    (shown, all.map(|row| row.chars().count()).sum())
}

/// A number with its noun: `1 scenario`, `1,204 requests`.
pub(crate) fn plural(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(n as u64), if n == 1 { "" } else { "s" })
}

/// A number with thousands set apart.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A duration as people read it: milliseconds below a second, seconds from there.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => format!("{}.{:02} s", ms / 1000, ms % 1000 / 10),
    }
}

/// What is the same in reasons that differ only in whom, where and when they struck: names that hold the run
/// id, rooms' ids and lengths of time are set aside.
pub(crate) fn cause(reason: &str, run_id: &str) -> String {
    let apart = |c: char| c.is_whitespace() || "/\"'(),;".contains(c);
    let pieces: Vec<&str> = reason.split_inclusive(apart).collect();
    let bare = |piece: &&str| piece.trim_end_matches(apart).to_owned();
    let mut cause = String::with_capacity(reason.len());
    for (i, piece) in pieces.iter().enumerate() {
        let word = bare(piece);
        let unit = pieces.get(i + 1).map(bare).unwrap_or_default();
        let time = word.parse::<f64>().is_ok() && ["s", "ms"].contains(&unit.as_str());
        match time || is_made(&word, run_id) {
            true => cause.push_str(&format!("…{}", &piece[word.len()..])),
            false => cause.push_str(piece),
        }
    }
    cause
}

/// Whether a word names what this run made: the run id is a part of it, or the homeserver drew it for a room.
fn is_made(word: &str, run_id: &str) -> bool {
    let part = |part: &str| part.eq_ignore_ascii_case(run_id);
    let holds = word.split(|c: char| !c.is_ascii_alphanumeric()).any(part);
    holds || (word.len() > 1 && word.starts_with('!')) || word.starts_with("%21")
}

/// A shell word, quoted where it must be.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_survives_escaping() {
        let hostile =
            "\u{1b}[31mred\u{9b}2J\u{202e}txt\u{2066}\u{200b}\u{feff}\u{0}\u{7f}\r\n\u{fffe}\u{e0041}";
        let safe = escape(hostile);
        assert_eq!(
            safe,
            r"\u{1b}[31mred\u{9b}2J\u{202e}txt\u{2066}\u{200b}\u{feff}\u{0}\u{7f}\r\n\u{fffe}\u{e0041}"
        );
        assert!(!safe.chars().any(is_hostile));
    }

    #[test]
    fn plain_text_of_any_script_is_left_alone() {
        let plain = r#"{"naïve":"日本語 שלום 😀","b":"\u001b"}"#;
        assert_eq!(escape(plain), plain);
    }

    #[test]
    fn wrapping_keeps_every_word_and_every_space() {
        let rows = wrap("one two three aWordLongerThanTheRow four", 9);
        assert_eq!(rows, ["one two", "three", "aWordLong", "erThanThe", "Row four"]);
        assert_eq!(wrap("{\"a\":  1}", 20), ["{\"a\":  1}"]);
        assert_eq!(wrap("", 20), [""]);
    }

    #[test]
    fn blocks_are_bounded_and_count_what_they_leave_out() {
        assert_eq!(
            block("abcdef\n\nxy\n", 4, 9),
            (vec!["abcd".into(), "ef".into(), "".into(), "xy".into()], 0)
        );
        assert_eq!(block(&"a".repeat(100), 10, 3), (vec!["a".repeat(10); 3], 70));
        assert_eq!(block("", 10, 3), (vec![String::new()], 0));
    }

    #[test]
    fn numbers_are_readable() {
        let read = [0, 12, 999, 1_000, 65_536, 1_234_567].map(number);
        assert_eq!(read, ["0", "12", "999", "1,000", "65,536", "1,234,567"]);
        assert_eq!([plural(1, "request"), plural(2, "request")], ["1 request", "2 requests"]);
        assert_eq!([duration(0), duration(999), duration(1_240)], ["0 ms", "999 ms", "1.24 s"]);
    }

    #[test]
    fn cutting_counts_characters_and_not_bytes() {
        assert_eq!(cut("ééé", 3), "ééé");
        assert_eq!(cut("éééé", 3), "ééé… (1 character more)");
        assert_eq!((fit("éééé", 4), fit("ééééé", 4)), ("éééé".into(), "ééé…".into()));
        assert_eq!((fit_ends("abcdé", 5), fit_ends("abcdéf", 5)), ("abcdé".into(), "a…déf".into()));
    }

    #[test]
    fn a_cause_has_no_names_of_the_run_and_no_times() {
        let limited = |user: &str, room: &str, wait: &str| {
            cause(
                &format!("cannot register {user}: POST /join/{room} was answered 429 ({wait} s more)"),
                "3Ab",
            )
        };
        let one = limited("cap-3ab-27", "%21one%3Aa", "6");
        assert_eq!(one, "cannot register … POST /join/… was answered 429 (… s more)");
        assert_eq!(one, limited("granted-3ab-1", "!other:a", "0.25"));
        for other in [limited("cap-4cd-27", "!a", "6"), cause("cannot log in cap-3ab-27: 429", "3Ab")] {
            assert_ne!(one, other, "another name, another deed");
        }
        for plain in ["404 M_NOT_FOUND for 2 sets", "asked 3 times! so", "é/日本 s", "  ", ""] {
            assert_eq!(cause(plain, "3Ab"), plain);
        }
    }

    #[test]
    fn shell_words_cannot_break_out() {
        assert_eq!(shell_word("http://127.0.0.1:8008/a"), "http://127.0.0.1:8008/a");
        assert_eq!(shell_word("a b'; rm"), r"'a b'\''; rm'");
        assert_eq!(shell_word(""), "''");
    }
}
