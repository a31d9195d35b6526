//! The Authorization header of requests between homeservers, in every legal spelling.
//!
//! Server-Server API, "Request Authentication"; RFC 9110, sections 5.6 and 11.4. Beyond the grammar of the
//! RFC, unquoted values may hold colons, as old homeservers send them.

use crate::reference::faults::{Fault, FaultSet};
use crate::reference::variants::{Variant, VariantSet};

/// What a signed request says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The homeserver that asks.
    pub(super) origin: String,
    /// The homeserver that is asked; old ones do not say.
    pub(super) destination: Option<String>,
    /// The ID of the signing key.
    pub(super) key: String,
    /// The signature, in Base64.
    pub(super) signature: String,
}

/// One parameter as it is spelled.
struct Parameter<'a> {
    name: &'a str,
    value: String,
    is_quoted: bool,
}

/// Reads the header's value; the error is for people.
///
/// The signature may also be called `signature`, unless a freedom is taken.
pub(super) fn parse(text: &str, faults: FaultSet, variants: VariantSet) -> Result<Claim, &'static str> {
    let (scheme, rest) = text.split_once(' ').ok_or("no X-Matrix parameters")?;
    let is_spelled_oddly = faults.has(Fault::FedHeaderLowerCase) && scheme != "X-Matrix";
    if !scheme.eq_ignore_ascii_case("X-Matrix") || is_spelled_oddly {
        return Err("not X-Matrix");
    }
    let parameters = parameters(rest.trim_start_matches(' '), faults)?;
    check_habits(text, &parameters, faults)?;
    let find = |wanted: &'static str| {
        let mut found = parameters.iter().filter(|parameter| {
            let is_name = parameter.name.eq_ignore_ascii_case(wanted);
            is_name && (parameter.name == wanted || !faults.has(Fault::FedHeaderLowerCase))
        });
        match (found.next(), found.next()) {
            (value, None) => Ok(value.map(|parameter| parameter.value.clone())),
            _ => Err("a parameter stands twice"),
        }
    };
    let other_name = match variants.has(Variant::SignatureRefused) {
        true => None,
        false => find("signature")?,
    };
    let signature = find("sig")?.or(other_name);
    Ok(Claim {
        origin: find("origin")?.ok_or("no origin")?,
        destination: find("destination")?,
        key: find("key")?.ok_or("no key")?,
        signature: signature.ok_or("no sig")?,
    })
}

/// Refuses what parsers refuse that were written after one example: nothing, but for faults.
fn check_habits(text: &str, parameters: &[Parameter], faults: FaultSet) -> Result<(), &'static str> {
    let names: Vec<String> = parameters.iter().map(|parameter| parameter.name.to_ascii_lowercase()).collect();
    let usual = ["origin", "destination", "key", "sig"];
    let known = |name: &String| usual.contains(&name.as_str()) || name == "signature";
    let is_spaced = || text.splitn(2, ' ').last().is_some_and(|rest| unquoted(rest).contains([' ', '\t']));
    let oddities = [
        (Fault::FedHeaderFixedOrder, !names.iter().filter(|name| known(name)).eq(usual.iter())),
        (Fault::FedHeaderQuotesNeeded, parameters.iter().any(|parameter| !parameter.is_quoted)),
        (Fault::FedHeaderNoSpaces, is_spaced()),
        (Fault::FedHeaderUnknownRefused, !names.iter().all(known)),
    ];
    match oddities.into_iter().any(|(fault, is_odd)| is_odd && faults.has(fault)) {
        true => Err("not the usual spelling"),
        false => Ok(()),
    }
}

/// What stands outside quotation marks.
fn unquoted(text: &str) -> String {
    text.split('"').step_by(2).collect()
}

/// The parameters of a comma-separated list, of which elements may be empty (RFC 9110, section 5.6.1).
fn parameters(text: &str, faults: FaultSet) -> Result<Vec<Parameter<'_>>, &'static str> {
    let mut parameters = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Ok(parameters);
        }
        let name;
        (name, rest) = token(rest, |c| is_token(c) && c != ':')?;
        rest = rest.trim_start_matches([' ', '\t']).strip_prefix('=').ok_or("a parameter without a value")?;
        rest = rest.trim_start_matches([' ', '\t']);
        let (is_quoted, value);
        (is_quoted, (value, rest)) = match rest.strip_prefix('"') {
            Some(quoted) => (true, quoted_string(quoted, faults)?),
            None => (false, token(rest, is_token).map(|(value, rest)| (value.to_owned(), rest))?),
        };
        parameters.push(Parameter { name, value, is_quoted });
        rest = rest.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return Err("no comma between parameters");
        }
    }
}

/// A token, and what follows it.
fn token(text: &str, fits: impl Fn(char) -> bool) -> Result<(&str, &str), &'static str> {
    match text.find(|c| !fits(c)).unwrap_or(text.len()) {
        0 => Err("a name or a value is missing"),
        end => Ok(text.split_at(end)),
    }
}

/// The characters of a token (RFC 9110, section 5.6.2), and the colon.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:".contains(c)
}

/// A quoted string after its opening mark, without its backslashes, and what follows it.
fn quoted_string(text: &str, faults: FaultSet) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[index + 1..])),
            '\\' => {
                if faults.has(Fault::FedHeaderRawEscapes) {
                    value.push(c);
                }
                value.push(chars.next().ok_or("a quoted value does not end")?.1);
            }
            c => value.push(c),
        }
    }
    Err("a quoted value does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(origin: &str, destination: Option<&str>, key: &str, signature: &str) -> Claim {
        let destination = destination.map(str::to_owned);
        Claim { origin: origin.to_owned(), destination, key: key.to_owned(), signature: signature.to_owned() }
    }

    fn read(text: &str) -> Result<Claim, &'static str> {
        parse(text, FaultSet::NONE, VariantSet::NONE)
    }

    #[test]
    fn every_legal_spelling_says_the_same() {
        let expected = Ok(claim("b:1", Some("a:2"), "ed25519:1", "c+d"));
        for text in [
            r#"X-Matrix origin="b:1",destination="a:2",key="ed25519:1",sig="c+d""#,
            r#"X-Matrix sig="c+d",key="ed25519:1",destination="a:2",origin="b:1""#,
            r#"x-mATRIX ORIGIN="b:1",Destination="a:2",kEY="ed25519:1",SIG="c+d""#,
            r#"X-Matrix   origin="b:1" ,	destination="a:2",  key="ed25519:1"	,sig="c+d" "#,
            r"X-Matrix origin=b:1,destination=a:2,key=ed25519:1,sig=c+d",
            r#"X-Matrix origin="\b\:1",destination="a:2",key="ed25519\:1",sig="c\+d""#,
            r#"X-Matrix origin="b:1",extra="a \" , sig=\"no\"",destination="a:2",key="ed25519:1",more=x,sig="c+d""#,
            r#"X-Matrix , origin="b:1",,destination="a:2",key = "ed25519:1",sig= "c+d","#,
            r#"X-Matrix origin="b:1",destination="a:2",key="ed25519:1",signature="c+d""#,
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn the_destination_may_be_missing_and_nothing_else() {
        let text = r#"X-Matrix origin="b",key="ed25519:1",sig="c/d""#;
        assert_eq!(read(text), Ok(claim("b", None, "ed25519:1", "c/d")));
        for text in [
            r#"X-Matrix destination="a",key="ed25519:1",sig="c""#,
            r#"X-Matrix origin="b",destination="a",sig="c""#,
            r#"X-Matrix origin="b",destination="a",key="ed25519:1""#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_header_of_this_kind_is_refused() {
        for text in [
            "",
            "X-Matrix",
            "X-Matrix ",
            "Bearer token",
            r#"X-Matrixorigin="b",key="k",sig="c""#,
            r#"X-Matrix origin="b",key="k",sig="c"#,
            r#"X-Matrix origin="b",key="k",sig="c\"#,
            r#"X-Matrix origin="b" key="k" sig="c""#,
            r#"X-Matrix origin="b"x,key="k",sig="c""#,
            r#"X-Matrix origin=,key="k",sig="c""#,
            r#"X-Matrix origin,key="k",sig="c""#,
            r#"X-Matrix ="b",key="k",sig="c""#,
            r#"X-Matrix origin="b",origin="d",key="k",sig="c""#,
            r#"X-Matrix origin="b",key="k",sig=c/d"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_habit_refuses_its_own_spelling_and_takes_the_usual_one() {
        let usual = r#"X-Matrix origin="b:1",destination="a:2",key="ed25519:1",sig="c+d""#;
        let odd = [
            (
                Fault::FedHeaderFixedOrder,
                r#"X-Matrix sig="c+d",origin="b:1",destination="a:2",key="ed25519:1""#,
            ),
            (
                Fault::FedHeaderQuotesNeeded,
                r#"X-Matrix origin=b:1,destination="a:2",key="ed25519:1",sig="c+d""#,
            ),
            (
                Fault::FedHeaderLowerCase,
                r#"X-Matrix Origin="b:1",destination="a:2",key="ed25519:1",sig="c+d""#,
            ),
            (
                Fault::FedHeaderNoSpaces,
                r#"X-Matrix origin="b:1", destination="a:2",key="ed25519:1",sig="c+d""#,
            ),
            (
                Fault::FedHeaderUnknownRefused,
                r#"X-Matrix origin="b:1",destination="a:2",key="ed25519:1",sig="c+d",x="y""#,
            ),
        ];
        for (fault, text) in odd {
            assert!(read(text).is_ok(), "{text}");
            for (other, _) in odd {
                let faults: FaultSet = [other].into_iter().collect();
                assert_eq!(parse(text, faults, VariantSet::NONE).is_err(), other == fault, "{other}: {text}");
                assert!(parse(usual, faults, VariantSet::NONE).is_ok(), "{other}");
            }
        }
        let faults: FaultSet = [Fault::FedHeaderRawEscapes].into_iter().collect();
        let escaped = r#"X-Matrix origin="\b",destination="a",key="k",sig="c""#;
        assert_eq!(parse(escaped, faults, VariantSet::NONE).map(|claim| claim.origin).as_deref(), Ok(r"\b"));
    }
}
