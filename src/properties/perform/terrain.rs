//! What of a target generated histories can make use of.

use crate::actors::World;
use crate::spec::binding::Operation;
use crate::spec::history::{DEVICES, REMOTES, Terrain, USERS};
use crate::target::features::Feature;

/// What a target offers, as preflight found it; users that are given and not made bound a history's.
pub fn terrain_of(world: &World) -> Terrain {
    let has = |feature| world.features.has(feature);
    let all = |operations: &[Operation]| operations.iter().all(|each| has(Feature::Operation(*each)));
    let login = has(Feature::Login);
    Terrain {
        users: world.provisioner.ordinary_users().unwrap_or(USERS).min(USERS),
        // Without logins a user has the one session that came with the account.
        devices: if login { DEVICES } else { 1 },
        login,
        presence: has(Feature::Presence),
        resolve: all(&[Operation::Resolve]),
        server: all(&[Operation::ServerHash, Operation::ServerSet]),
        parameters: has(Feature::Parameters),
        opaque_names: has(Feature::OpaqueNames),
        remotes: if has(Feature::Federation) && world.link.is_some() { REMOTES } else { 0 },
    }
}
