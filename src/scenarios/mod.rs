//! The scenarios, one file per area of the draft.
//!
//! They read like the draft: no URL, no status code, no sleep. Each names the requirements it
//! covers, what it needs of the target and how many users play in it; everything else is code.

mod auth;
mod context;
mod federation;
mod gating;
mod ground;
mod hash;
mod malformed;
mod pair;
mod presence;
mod properties;
mod resolve;
mod server;
mod union;
mod upload;

use std::pin::Pin;
use std::sync::Arc;

use crate::outcome::Stop;
use crate::properties::Property;
use crate::spec::binding::Operation;
use crate::spec::requirement::{self, Requirement};
use crate::target::features::Feature;
use crate::target::provision::Cast;

pub use context::Cx;

/// What a scenario comes back with: the end, or why it ended before.
pub type Ran = Result<(), Stop>;

/// A story as it is being told.
pub type Story = Pin<Box<dyn Future<Output = Ran> + Send>>;

/// A story about users, sessions and their homeserver.
pub struct Scenario {
    /// The permanent id, `area::words_with_underscores`.
    pub id: &'static str,
    /// What it shows, in a sentence.
    pub summary: &'static str,
    /// The requirements it checks.
    pub covers: &'static [&'static str],
    /// What it needs of the target.
    pub needs: &'static [Feature],
    /// How many users play in it.
    pub cast: Cast,
    /// The story.
    pub run: fn(Arc<Cx>) -> Story,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Scenario").field(&self.id).finish()
    }
}

impl Scenario {
    /// The requirements it checks.
    pub fn rules(&self) -> impl Iterator<Item = &'static Requirement> {
        self.covers.iter().filter_map(|id| requirement::find(id))
    }

    /// The property that it is, if it is one: then it plays last, and covers by chance.
    pub fn property(&self) -> Option<&'static Property> {
        crate::properties::find(self.id)
    }

    /// The area of the draft that it belongs to.
    pub fn area(&self) -> &'static str {
        self.id.split_once("::").map_or(self.id, |(area, _)| area)
    }
}

/// The areas, in the order of the suite.
static AREAS: [&[Scenario]; 18] = [
    auth::SCENARIOS,
    hash::SCENARIOS,
    server::SCENARIOS,
    gating::SCENARIOS,
    upload::SCENARIOS,
    upload::bodies::SCENARIOS,
    union::SCENARIOS,
    presence::SCENARIOS,
    resolve::SCENARIOS,
    federation::offers::SCENARIOS,
    federation::signatures::SCENARIOS,
    federation::resolve::SCENARIOS,
    federation::lookup::SCENARIOS,
    federation::failures::SCENARIOS,
    federation::told::SCENARIOS,
    federation::heard::SCENARIOS,
    pair::SCENARIOS,
    properties::SCENARIOS,
];

/// Every scenario, the properties last, in the order of the suite.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    AREAS.iter().copied().flatten()
}

/// Every scenario that shows what it covers whenever it plays; the properties show by chance.
pub fn written() -> impl Iterator<Item = &'static Scenario> {
    all().filter(|scenario| scenario.property().is_none())
}

/// The scenario with this id.
pub fn find(id: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.id == id)
}

const SERVER_HASH: Feature = Feature::Operation(Operation::ServerHash);
const SERVER_SET: Feature = Feature::Operation(Operation::ServerSet);
const DECLARE: Feature = Feature::Operation(Operation::Declare);
const UPLOAD: Feature = Feature::Operation(Operation::Upload);
const RESOLVE: Feature = Feature::Operation(Operation::Resolve);
const LOGIN: Feature = Feature::Login;
const SESSIONS: Feature = Feature::Sessions;
const PRESENCE: Feature = Feature::Presence;
const PARAMETERS: Feature = Feature::Parameters;
const OPAQUE_NAMES: Feature = Feature::OpaqueNames;
const GATING: Feature = Feature::Gating;
const SIZE_LIMIT: Feature = Feature::SizeLimit;
const FEDERATION: Feature = Feature::Federation;
const FED_SERVER_HASH: Feature = Feature::Operation(Operation::FedServerHash);
const FED_SERVER_SET: Feature = Feature::Operation(Operation::FedServerSet);
const FED_RESOLVE: Feature = Feature::Operation(Operation::FedResolve);
const SECOND: Feature = Feature::Second;

/// So many users, none of them entitled to anything.
const fn users(ordinary: usize) -> Cast {
    Cast { ordinary, entitled: 0, look_alikes: 0, elsewhere: 0 }
}

/// So many users, and so many that are entitled to the gated capability.
const fn users_and_entitled(ordinary: usize, entitled: usize) -> Cast {
    Cast { ordinary, entitled, look_alikes: 0, elsewhere: 0 }
}

/// So many users who are not entitled, and look as if they were.
const fn look_alikes(look_alikes: usize) -> Cast {
    Cast { ordinary: 0, entitled: 0, look_alikes, elsewhere: 0 }
}

/// So many users, and so many of the second homeserver.
const fn users_and_elsewhere(ordinary: usize, elsewhere: usize) -> Cast {
    Cast { ordinary, entitled: 0, look_alikes: 0, elsewhere }
}

/// The table of an area: what each scenario says, covers and needs.
macro_rules! scenarios {
    ($area:ident: $($name:ident {
        says: $says:literal,
        covers: [$($covers:literal),+ $(,)?],
        needs: [$($needs:expr),* $(,)?],
        cast: $cast:expr $(,)?
    })+) => {
        pub(in crate::scenarios) static SCENARIOS: &[$crate::scenarios::Scenario] = &[$($crate::scenarios::Scenario {
            id: concat!(stringify!($area), "::", stringify!($name)),
            summary: $says,
            covers: &[$($covers),+],
            needs: &[$($needs),*],
            cast: $cast,
            run: |cx| Box::pin(async move { $name(&cx).await }),
        }),+];
    };
}
use scenarios;
