//! What a target offers, as preflight found it.

use std::collections::BTreeMap;
use std::fmt;

use crate::spec::binding::Operation;

/// Something that a scenario needs of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// An operation of the binding.
    Operation(Operation),
    /// Logins on a device of one's choice, logout and device deletion.
    Login,
    /// More than one session of a user.
    Sessions,
    /// The presence API: status and `/sync`.
    Presence,
    /// Capabilities with non-empty parameters.
    Parameters,
    /// Capability names outside the Common Namespaced Identifier Grammar.
    OpaqueNames,
    /// Hashes with `+` and `/` in paths.
    EveryHash,
    /// A gated capability, and users entitled to it.
    Gating,
    /// A named limit for the size of a set.
    SizeLimit,
    /// The harness's own homeservers, which the target federates with.
    Federation,
    /// A second homeserver under test, which the target federates with.
    Second,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Operation(operation) => operation.name(),
            Self::Login => "login",
            Self::Sessions => "sessions",
            Self::Presence => "presence",
            Self::Parameters => "parameters",
            Self::OpaqueNames => "opaque_names",
            Self::EveryHash => "every_hash",
            Self::Gating => "gating",
            Self::SizeLimit => "size_limit",
            Self::Federation => "federation",
            Self::Second => "second",
        })
    }
}

/// Whether a feature can be tested with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Available,
    /// The target does not claim it, for this reason.
    NotApplicable(String),
    /// It should be there and does not work, for this reason.
    Broken(String),
}

impl Standing {
    /// Why it cannot be tested with; empty where it can.
    pub fn reason(&self) -> &str {
        match self {
            Self::Available => "",
            Self::NotApplicable(reason) | Self::Broken(reason) => reason,
        }
    }
}

/// What preflight found.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// The target's server name, as its user IDs show it.
    pub server_name: Option<String>,
    /// The error code with which a declare without a usable `sha256` is answered; never the refusal.
    pub unusable_declare: Option<String>,
    /// What is worth saying aloud.
    pub notes: Vec<String>,
    standings: BTreeMap<Feature, Standing>,
}

impl Features {
    /// Records what was found.
    pub fn set(&mut self, feature: Feature, standing: Standing) {
        self.standings.insert(feature, standing);
    }

    /// How a feature stands; one that was never probed is broken.
    pub fn standing(&self, feature: Feature) -> Standing {
        let unprobed = || Standing::Broken(format!("{feature} was not probed"));
        self.standings.get(&feature).cloned().unwrap_or_else(unprobed)
    }

    /// Whether a feature is there.
    pub fn has(&self, feature: Feature) -> bool {
        self.standing(feature) == Standing::Available
    }

    /// Everything that was found, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Feature, &Standing)> {
        self.standings.iter().map(|(feature, standing)| (*feature, standing))
    }
}
