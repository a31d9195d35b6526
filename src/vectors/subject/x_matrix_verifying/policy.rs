//! What an implementation demands of a request, and the mistakes: policies that are wrong in one thing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::percent_decode_str;

use super::Received;
use super::reading::{Reading, Rules};
use crate::wire::signing::{XMatrix, verify};

/// What an implementation demands.
#[derive(Clone, Copy)]
pub(super) struct Policy {
    /// What it takes beyond the grammar.
    rules: Rules,
    /// Whether it takes any scheme.
    any_scheme: bool,
    /// Which headers it refuses for their spelling.
    refuses: fn(&Reading<'_>) -> bool,
    /// Which of several values of a parameter holds; none where it refuses them.
    of_several: fn(Vec<String>) -> Option<String>,
    /// Whether backslashes are characters like any other.
    backslashes_kept: bool,
    /// The destination that must have been signed; none where it is another's.
    destination: fn(&str, Option<&str>) -> Option<String>,
    /// Whether a request in its own name is taken.
    own_name_taken: bool,
    /// The keys of which one must have signed.
    keys: fn(&Received, &XMatrix) -> Vec<String>,
    /// The requests of which one must have been signed.
    requests: fn(&Received) -> Vec<Received>,
    /// Whether a signature by this key over these bytes holds.
    holds: fn(&str, &[u8], &str) -> bool,
}

impl Policy {
    /// Everything that must be demanded and nothing more.
    pub(super) const RIGHT: Policy = Policy {
        rules: Rules { commas_optional: false, quotes_may_stay_open: false },
        any_scheme: false,
        refuses: |_| false,
        of_several: |values| if values.len() == 1 { values.into_iter().next() } else { None },
        backslashes_kept: false,
        destination: |receiver, named| {
            named.is_none_or(|named| named == receiver).then(|| receiver.to_owned())
        },
        own_name_taken: false,
        keys: |received, header| {
            let published = received.keys.get(&header.origin);
            published.and_then(|keys| keys.get(&header.key)).cloned().into_iter().collect()
        },
        requests: |received| vec![received.clone()],
        holds: |key, bytes, signature| verify(key, bytes, signature).is_ok(),
    };

    /// Whether it takes a request.
    pub(super) fn takes(&self, received: &Received) -> bool {
        self.decide(received).unwrap_or(false)
    }

    fn decide(&self, received: &Received) -> Option<bool> {
        let reading = Reading::of(&received.header, self.rules)?;
        let scheme_fits = self.any_scheme || reading.scheme.eq_ignore_ascii_case("X-Matrix");
        if !scheme_fits || (self.refuses)(&reading) {
            return None;
        }
        let header = self.header(&reading)?;
        let destination = (self.destination)(&received.receiver, header.destination.as_deref())?;
        if header.origin == received.receiver && !self.own_name_taken {
            return None;
        }
        let keys = (self.keys)(received, &header);
        let signed = |request: &Received| request.signed(&header.origin, &destination).ok();
        let signed: Vec<_> = (self.requests)(received).iter().filter_map(signed).collect();
        let holds = |key: &String| signed.iter().any(|bytes| (self.holds)(key, bytes, &header.sig));
        Some(keys.iter().any(holds))
    }

    fn header(&self, reading: &Reading<'_>) -> Option<XMatrix> {
        let values =
            |names: &[&str]| {
                let named = |name: &str| names.iter().any(|known| name.eq_ignore_ascii_case(known));
                let of_it = reading.parameters.iter().filter(|parameter| named(parameter.name));
                let value = of_it.map(|parameter| {
                    if self.backslashes_kept { parameter.raw.to_owned() } else { parameter.value() }
                });
                value.collect::<Vec<_>>()
            };
        let destination = values(&["destination"]);
        Some(XMatrix {
            origin: (self.of_several)(values(&["origin"]))?,
            destination: if destination.is_empty() { None } else { Some((self.of_several)(destination)?) },
            key: (self.of_several)(values(&["key"]))?,
            sig: (self.of_several)(values(&["sig", "signature"]))?,
        })
    }
}

/// Where an implementation leaves the right path.
type Leave = fn(&mut Policy);

/// Every mistake.
pub(super) const MISTAKES: &[(&str, Leave)] = &[
    // Reads too little.
    ("case-sensitive-scheme", |policy| policy.refuses = |reading| reading.scheme != "X-Matrix"),
    ("one-space-needed", |policy| policy.refuses = |reading| reading.gaps[0] != " "),
    ("case-sensitive-names", |policy| {
        policy.refuses = |reading| {
            reading.parameters.iter().any(|p| is_known(p.name) && p.name != p.name.to_ascii_lowercase())
        };
    }),
    ("order-needed", |policy| {
        policy.refuses = |reading| {
            let known = reading.parameters.iter().map(|p| p.name).filter(|name| is_known(name));
            let known: Vec<_> = known.map(str::to_ascii_lowercase).collect();
            known != ["origin", "destination", "key", "sig"]
        };
    }),
    ("unknown-parameter-refused", |policy| {
        policy.refuses = |reading| reading.parameters.iter().any(|p| !is_known(p.name));
    }),
    ("space-beside-comma-refused", |policy| {
        policy.refuses = |reading| reading.gaps[1..].iter().any(|gap| gap.contains([' ', '\t']));
    }),
    ("tab-refused", |policy| {
        policy.refuses = |reading| reading.gaps[1..].iter().any(|gap| gap.contains('\t'));
    }),
    ("space-beside-equals-refused", |policy| {
        policy.refuses = |reading| reading.parameters.iter().any(|p| p.spaced);
    }),
    ("empty-element-refused", |policy| {
        policy.refuses = |reading| {
            let last = reading.gaps.len() - 1;
            let commas = |gap: &str| gap.matches(',').count();
            let edges = commas(reading.gaps[0]) + commas(reading.gaps[last]);
            edges > 0 || reading.gaps.iter().any(|gap| commas(gap) > 1)
        };
    }),
    ("quotes-needed", |policy| policy.refuses = |reading| reading.parameters.iter().any(|p| !p.quoted)),
    ("colon-needs-quotes", |policy| {
        policy.refuses = |reading| reading.parameters.iter().any(|p| !p.quoted && p.raw.contains(':'));
    }),
    ("splits-at-comma-in-quotes", |policy| {
        policy.refuses = |reading| reading.parameters.iter().any(|p| p.raw.contains(','));
    }),
    ("splits-at-every-equals", |policy| {
        policy.refuses = |reading| reading.parameters.iter().any(|p| p.raw.contains('='));
    }),
    ("quote-ends-at-escape", |policy| {
        policy.refuses = |reading| reading.parameters.iter().any(|p| p.quoted && p.raw.contains("\\\""));
    }),
    ("backslashes-kept", |policy| policy.backslashes_kept = true),
    ("padding-refused", |policy| {
        policy.holds =
            |key, bytes, signature| !signature.contains('=') && verify(key, bytes, signature).is_ok();
    }),
    // Reads too much.
    ("any-scheme", |policy| policy.any_scheme = true),
    ("commas-optional", |policy| policy.rules.commas_optional = true),
    ("open-quote-taken", |policy| policy.rules.quotes_may_stay_open = true),
    ("first-of-several", |policy| policy.of_several = |values| values.into_iter().next()),
    ("last-of-several", |policy| policy.of_several = |values| values.into_iter().next_back()),
    // Checks too little.
    ("destination-unchecked", |policy| {
        policy.destination = |receiver, named| Some(named.unwrap_or(receiver).to_owned());
    }),
    ("destination-ignored", |policy| policy.destination = |receiver, _| Some(receiver.to_owned())),
    ("empty-destination-taken", |policy| {
        policy.destination = |receiver, named| {
            named.is_none_or(|named| named.is_empty() || named == receiver).then(|| receiver.to_owned())
        };
    }),
    ("destination-folded", |policy| {
        policy.destination = |receiver, named| {
            let named = named.unwrap_or(receiver);
            named.eq_ignore_ascii_case(receiver).then(|| named.to_owned())
        };
    }),
    ("destination-port-ignored", |policy| {
        policy.destination = |receiver, named| {
            let named = named.unwrap_or(receiver);
            (without_port(named) == without_port(receiver)).then(|| named.to_owned())
        };
    }),
    ("own-name-taken", |policy| policy.own_name_taken = true),
    ("method-unchecked", |policy| {
        policy.requests = |received| {
            let method = |method: &str| Received { method: method.to_owned(), ..received.clone() };
            ["GET", "PUT", "POST", "DELETE"].map(method).into()
        };
    }),
    ("method-upper-cased", |policy| {
        policy.requests =
            |received| vec![Received { method: received.method.to_ascii_uppercase(), ..received.clone() }];
    }),
    ("decoded-uri-taken", |policy| {
        policy.requests = |received| {
            let decoded = percent_decode_str(&received.uri).decode_utf8().ok();
            let decoded = decoded.map(|uri| Received { uri: uri.into_owned(), ..received.clone() });
            [received.clone()].into_iter().chain(decoded).collect()
        };
    }),
    ("query-unchecked", |policy| {
        policy.requests = |received| {
            let path = received.uri.split('?').next().unwrap_or_default().to_owned();
            vec![received.clone(), Received { uri: path, ..received.clone() }]
        };
    }),
    ("content-unchecked", |policy| {
        policy.requests = |received| vec![received.clone(), Received { content: None, ..received.clone() }];
    }),
    ("empty-content-is-none", |policy| {
        policy.requests = |received| match received.content.as_deref() {
            None | Some("{}") => {
                [None, Some("{}".to_owned())].map(|content| Received { content, ..received.clone() }).into()
            }
            Some(_) => vec![received.clone()],
        };
    }),
    ("key-of-any-server", |policy| {
        policy.keys = |received, header| {
            received.keys.values().filter_map(|keys| keys.get(&header.key)).cloned().collect()
        };
    }),
    ("any-key-of-server", |policy| {
        policy.keys = |received, header| {
            received.keys.get(&header.origin).into_iter().flat_map(|keys| keys.values().cloned()).collect()
        };
    }),
    ("first-key-of-server", |policy| {
        policy.keys = |received, header| {
            let published = received.keys.get(&header.origin).into_iter().flat_map(|keys| keys.values());
            published.take(1).cloned().collect()
        };
    }),
    ("signature-unchecked", |policy| policy.holds = |_, _, _| true),
    ("empty-signature-taken", |policy| {
        policy.holds = |key, bytes, signature| signature.is_empty() || verify(key, bytes, signature).is_ok();
    }),
    ("signature-cut", |policy| {
        policy.holds = |key, bytes, signature| {
            let cut = signature.get(..86).unwrap_or(signature);
            verify(key, bytes, cut).is_ok()
        };
    }),
    ("foreign-characters-skipped", |policy| {
        policy.holds = |key, bytes, signature| {
            let skipped = |c: &char| c.is_ascii_alphanumeric() || "+/=".contains(*c);
            verify(key, bytes, &signature.chars().filter(skipped).collect::<String>()).is_ok()
        };
    }),
    ("malleable-taken", |policy| {
        policy.holds = |key, bytes, signature| {
            let raw = STANDARD_NO_PAD.decode(signature.trim_end_matches('='));
            let reduced = raw.map(|raw| STANDARD_NO_PAD.encode(reduced(raw)));
            verify(key, bytes, &reduced.unwrap_or_default()).is_ok()
        };
    }),
];

fn is_known(name: &str) -> bool {
    ["origin", "destination", "key", "sig", "signature"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The server name without the digits after its last colon.
fn without_port(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => name,
    }
}

/// The order of the base point (RFC 8032, section 5.1), little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The signature with the order taken once from the number in its second half, if it is no less.
fn reduced(mut signature: Vec<u8>) -> Vec<u8> {
    if let Some(number) = signature.get_mut(32..64)
        && number.iter().rev().ge(ORDER.iter().rev())
    {
        let mut borrow = false;
        for (digit, order) in number.iter_mut().zip(ORDER) {
            let (less, first) = digit.overflowing_sub(order);
            let (less, second) = less.overflowing_sub(u8::from(borrow));
            (*digit, borrow) = (less, first || second);
        }
    }
    signature
}

#[cfg(test)]
mod tests;
