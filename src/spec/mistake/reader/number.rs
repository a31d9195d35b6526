//! Numbers: a spelling to what is written for it.

use crate::spec::canonical::MAX_INTEGER;

/// What is made of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Integers within ±(2^53 - 1), and nothing else.
    Integers,
    /// Integers of any size.
    Exact,
    /// The same in any spelling: `1.0`, `1e2`, `-0`.
    Whole,
    /// The same as the nearest doubles, every digit of them.
    Rounded,
    /// Anything, as it is spelled.
    Spelled,
    /// As Python has it: integers of any size, everything else as the `repr` of a double.
    Python,
    /// As JavaScript has it: everything as a double.
    Doubles,
    /// The fraction is cut off.
    Truncated,
}

impl Numbers {
    /// What is written for a number that is spelled so; none where it is refused.
    pub(super) fn written(self, spelled: &str) -> Option<String> {
        let is_integer = !spelled.contains(['.', 'e', 'E']);
        match self {
            Self::Integers if is_integer && spelled != "-0" => in_range(spelled),
            Self::Exact if is_integer && spelled != "-0" => Some(spelled.to_owned()),
            Self::Integers | Self::Exact => None,
            Self::Whole => whole(spelled),
            Self::Rounded => {
                let double = whole(spelled)?.parse::<f64>().ok().filter(|double| double.is_finite())?;
                Some(format!("{double:.0}"))
            }
            Self::Spelled => Some(spelled.to_owned()),
            Self::Python if is_integer => Some(if spelled == "-0" { "0" } else { spelled }.to_owned()),
            Self::Python => {
                let double = plain(spelled, 1e-4, 1e16)?;
                Some(format!("{double:?}"))
            }
            Self::Doubles => {
                let double = plain(spelled, 1e-6, 1e21)?;
                Some(if double == 0.0 { "0".to_owned() } else { format!("{double}") })
            }
            Self::Truncated if is_integer => in_range(spelled),
            Self::Truncated => in_range(&format!("{:.0}", spelled.parse::<f64>().ok()?.trunc() + 0.0)),
        }
    }
}

fn in_range(spelled: &str) -> Option<String> {
    let integer = spelled.parse::<i64>().ok()?;
    (-MAX_INTEGER..=MAX_INTEGER).contains(&integer).then(|| integer.to_string())
}

/// A double that all languages write without an exponent.
fn plain(spelled: &str, least: f64, most: f64) -> Option<f64> {
    let double = spelled.parse::<f64>().ok()?;
    (double == 0.0 || (least..most).contains(&double.abs())).then_some(double)
}

/// More digits than any vector's integer has.
const MOST_DIGITS: usize = 512;

/// An integer in any spelling, digit by digit: doubles would round it.
fn whole(spelled: &str) -> Option<String> {
    let (sign, spelled) = spelled.strip_prefix('-').map_or(("", spelled), |unsigned| ("-", unsigned));
    let (mantissa, exponent) = spelled.split_once(['e', 'E']).unwrap_or((spelled, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{after}");
    let significant = digits.trim_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    // The power of ten of the last digit that is no zero.
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let power =
        exponent.parse::<i64>().ok()? + i64::try_from(zeros).ok()? - i64::try_from(after.len()).ok()?;
    let power = usize::try_from(power).ok().filter(|power| significant.len() + power <= MOST_DIGITS)?;
    Some(format!("{sign}{significant}{}", "0".repeat(power)))
}
