//! Numbers, from how they came to how they are written.

use super::super::canonical::MAX_INTEGER;
use super::lenient::{Frame, Liberty};

/// What a reader that takes this liberty writes for a number, or none where it refuses it.
pub(super) fn read(token: &str, frame: Frame, liberty: Liberty) -> Option<String> {
    let token = match liberty {
        Liberty::Plus => token.strip_prefix('+').unwrap_or(token),
        _ => token,
    };
    let token = &without_leading_zeros(token, liberty);
    let number = Number::of(token)?;
    match (liberty, number.is_integer()) {
        (Liberty::NumbersOfJavaScript, _) => Some(as_javascript(token.parse().ok()?)),
        (Liberty::FloatKept, false) => Some(token.clone()),
        (Liberty::FloatsOfPython, false) => Some(as_python(token.parse().ok()?)),
        #[expect(clippy::cast_possible_truncation, reason = "this is the mistake: a cast cuts and saturates")]
        (Liberty::FloatTruncated, false) => Some((token.parse::<f64>().ok()? as i64).to_string()),
        (Liberty::MinusZeroKept, true) if token == "-0" => Some(token.clone()),
        (Liberty::IntegersThroughDoubles, true) => {
            let double: f64 = token.parse().ok().filter(|double: &f64| double.is_finite())?;
            Some(if double == 0.0 { "0".to_owned() } else { format!("{double:.0}") })
        }
        (Liberty::LargeIntegers, true) => Some(whole(token)),
        (_, true) if frame == Frame::Set => Some(whole(token)),
        (_, true) => whole(token).parse().ok().filter(in_range).map(|_| whole(token)),
        (_, false) => number.integer().map(|value| value.to_string()),
    }
}

fn in_range(value: &i64) -> bool {
    (-MAX_INTEGER..=MAX_INTEGER).contains(value)
}

/// An integer as it came, but for the sign of zero.
fn whole(token: &str) -> String {
    if token == "-0" { "0".to_owned() } else { token.to_owned() }
}

fn without_leading_zeros(token: &str, liberty: Liberty) -> String {
    let (sign, digits) = if let Some(rest) = token.strip_prefix('-') { ("-", rest) } else { ("", token) };
    if liberty != Liberty::LeadingZeros || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return token.to_owned();
    }
    let kept = digits.trim_start_matches('0');
    format!("{sign}{}", if kept.is_empty() { "0" } else { kept })
}

/// The parts of a number in the grammar of RFC 8259, section 6.
struct Number<'t> {
    negative: bool,
    whole: &'t str,
    fraction: Option<&'t str>,
    exponent: Option<&'t str>,
}

impl<'t> Number<'t> {
    fn of(token: &'t str) -> Option<Self> {
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let (mantissa, exponent) =
            token.split_once(['e', 'E']).map_or((token, None), |(mantissa, e)| (mantissa, Some(e)));
        let (whole, fraction) =
            mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
        let (negative, whole) = (whole.starts_with('-'), whole.strip_prefix('-').unwrap_or(whole));
        let is_number = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
        is_number.then_some(Self { negative, whole, fraction, exponent })
    }

    fn is_integer(&self) -> bool {
        self.fraction.is_none() && self.exponent.is_none()
    }

    /// The value, where it is an integer within ±(2^53 - 1) in spite of a fraction or an exponent.
    fn integer(&self) -> Option<i64> {
        const DIGITS: i64 = 16;
        let fraction = self.fraction.unwrap_or_default();
        let digits = format!("{}{fraction}", self.whole);
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Some(0);
        }
        let cut = i64::try_from(digits.len() - digits.trim_end_matches('0').len()).ok()?;
        let exponent: i64 = self.exponent.map_or(Ok(0), str::parse).ok()?;
        let zeros = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(cut)?;
        if !(0..=DIGITS).contains(&zeros) {
            return None;
        }
        let value: i64 = format!("{significant}{}", "0".repeat(usize::try_from(zeros).ok()?)).parse().ok()?;
        Some(if self.negative { -value } else { value }).filter(in_range)
    }
}

/// The shortest digits that tell a finite double from its neighbours, and the place of its point behind the first.
fn shortest(double: f64) -> (&'static str, String, i32) {
    let text = format!("{:e}", double.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if double.is_sign_negative() { "-" } else { "" };
    (sign, mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// As `JSON.stringify` of ECMAScript writes a number.
fn as_javascript(double: f64) -> String {
    if !double.is_finite() {
        return "null".to_owned();
    }
    if double == 0.0 {
        return "0".to_owned();
    }
    let (sign, digits, exponent) = shortest(double);
    match exponent {
        -6..=20 => format!("{sign}{}", plain(&digits, exponent)),
        _ => format!("{sign}{}e{exponent:+}", pointed(&digits)),
    }
}

/// As `json.dumps` of Python writes a float.
fn as_python(double: f64) -> String {
    let (sign, digits, exponent) = shortest(double);
    match exponent {
        _ if !double.is_finite() => format!("{sign}Infinity"),
        -4..=15 => {
            let text = plain(&digits, exponent);
            format!("{sign}{text}{}", if text.contains('.') { "" } else { ".0" })
        }
        _ => format!("{sign}{}e{exponent:+03}", pointed(&digits)),
    }
}

/// Without an exponent.
fn plain(digits: &str, exponent: i32) -> String {
    match usize::try_from(exponent) {
        Ok(exponent) if digits.len() <= exponent + 1 => {
            format!("{digits}{}", "0".repeat(exponent + 1 - digits.len()))
        }
        Ok(exponent) => format!("{}.{}", &digits[..=exponent], &digits[exponent + 1..]),
        Err(_) => format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
    }
}

/// With a point behind the first digit, if there are more.
fn pointed(digits: &str) -> String {
    if digits.len() == 1 { digits.to_owned() } else { format!("{}.{}", &digits[..1], &digits[1..]) }
}

/// How an integer is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbers {
    /// As it is.
    Decimal,
    /// With `.0` after it.
    Float,
    /// With C's `%.14g`.
    FourteenDigits,
    /// Cut to 32 bits, two's complement.
    Wrapped,
}

impl Numbers {
    pub(super) fn text(self, integer: &str) -> String {
        match self {
            Self::Decimal => integer.to_owned(),
            Self::Float => format!("{integer}.0"),
            Self::FourteenDigits => match integer.trim_start_matches('-').len() {
                ..=14 => integer.to_owned(),
                _ => fourteen_digits(integer.parse().unwrap_or(f64::INFINITY)),
            },
            Self::Wrapped => {
                let digits = integer.trim_start_matches('-').bytes();
                let magnitude = digits.fold(0_i32, |sum, digit| {
                    sum.wrapping_mul(10).wrapping_add(i32::from(digit.wrapping_sub(b'0')))
                });
                let value = if integer.starts_with('-') { magnitude.wrapping_neg() } else { magnitude };
                value.to_string()
            }
        }
    }
}

fn fourteen_digits(double: f64) -> String {
    let text = format!("{double:.13e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    format!("{mantissa}e+{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn javascript(token: &str) -> String {
        read(token, Frame::Value, Liberty::NumbersOfJavaScript).unwrap()
    }

    fn python(token: &str) -> String {
        read(token, Frame::Value, Liberty::FloatsOfPython).unwrap()
    }

    /// What node and python3 print for each.
    #[test]
    fn doubles_are_written_as_javascript_and_python_do() {
        for (token, by_javascript, by_python) in [
            ("0.0", "0", "0.0"),
            ("-0.0", "0", "-0.0"),
            ("1.0", "1", "1.0"),
            ("-1.5", "-1.5", "-1.5"),
            ("0.1", "0.1", "0.1"),
            ("1e2", "100", "100.0"),
            ("123.456e1", "1234.56", "1234.56"),
            ("1e15", "1000000000000000", "1000000000000000.0"),
            ("1e16", "10000000000000000", "1e+16"),
            ("1e20", "100000000000000000000", "1e+20"),
            ("1e21", "1e+21", "1e+21"),
            ("1.25e-4", "0.000125", "0.000125"),
            ("1.25e-5", "0.0000125", "1.25e-05"),
            ("1e-6", "0.000001", "1e-06"),
            ("1e-7", "1e-7", "1e-07"),
            ("5e-324", "5e-324", "5e-324"),
            ("1e400", "null", "Infinity"),
        ] {
            assert_eq!(javascript(token), by_javascript, "{token}");
            assert_eq!(python(token), by_python, "{token}");
        }
        assert_eq!(javascript("9007199254740993"), "9007199254740992");
        assert_eq!(javascript("18446744073709551616"), "18446744073709552000");
        assert_eq!(javascript("-0"), "0");
    }

    #[test]
    fn whole_numbers_in_other_spellings_are_integers() {
        let read = |token| read(token, Frame::Value, Liberty::None);
        for (token, value) in [
            ("1.0", "1"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("100e-2", "1"),
            ("1.50e1", "15"),
            ("-0", "0"),
            ("-0.0e9", "0"),
            ("-2.0", "-2"),
            ("9007199254740991.0", "9007199254740991"),
        ] {
            assert_eq!(read(token).as_deref(), Some(value), "{token}");
        }
        for token in
            ["1.5", "1e-2", "9007199254740992.0", "1e16", "1e400", "01", "1.", ".5", "+1", "-", "1e", ""]
        {
            assert_eq!(read(token), None, "{token}");
        }
    }

    #[test]
    fn integers_beyond_the_bounds() {
        let big = "9007199254740993";
        assert_eq!(read(big, Frame::Value, Liberty::None), None);
        assert_eq!(read(big, Frame::Set, Liberty::None).as_deref(), Some(big));
        assert_eq!(read(big, Frame::Value, Liberty::LargeIntegers).as_deref(), Some(big));
        let through_double = |token| read(token, Frame::Value, Liberty::IntegersThroughDoubles);
        assert_eq!(through_double(big).as_deref(), Some("9007199254740992"));
        assert_eq!(through_double("100000000000000000000000").as_deref(), Some("99999999999999991611392"));
        assert_eq!(through_double(&"9".repeat(400)), None);
        assert_eq!(read("-1.9", Frame::Value, Liberty::FloatTruncated).as_deref(), Some("-1"));
        assert_eq!(
            read("1e400", Frame::Value, Liberty::FloatTruncated).as_deref(),
            Some("9223372036854775807")
        );
    }

    #[test]
    fn integers_are_written_in_each_wrong_way() {
        assert_eq!(Numbers::Float.text("-7"), "-7.0");
        for (integer, written) in [
            ("99999999999999", "99999999999999"),
            ("100000000000000", "1e+14"),
            ("-9007199254740991", "-9.007199254741e+15"),
            ("999999999999999", "1e+15"),
        ] {
            assert_eq!(Numbers::FourteenDigits.text(integer), written);
        }
        for (integer, written) in [
            ("2147483647", "2147483647"),
            ("2147483648", "-2147483648"),
            ("-2147483649", "2147483647"),
            ("4294967296", "0"),
            ("9007199254740991", "-1"),
        ] {
            assert_eq!(Numbers::Wrapped.text(integer), written);
        }
    }
}
