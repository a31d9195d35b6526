//! What a target offers that histories can make use of.

use crate::actors::World;
use crate::spec::binding::Operation;
use crate::spec::history::{DEVICES, REMOTES, Terrain, USERS};
use crate::target::features::Feature;

/// The terrain of a target, as preflight found it. Where users are given and not made there are no more than
/// that.
pub fn of(world: &World) -> Terrain {
    let has = |feature| world.features.has(feature);
    let offers = |operation| has(Feature::Operation(operation));
    Terrain {
        users: world.provisioner.most_at_once().map_or(USERS, |users| users.clamp(1, USERS)),
        devices: if has(Feature::Sessions) { DEVICES } else { 1 },
        login: has(Feature::Login),
        presence: has(Feature::Presence),
        resolve: offers(Operation::Resolve),
        server: offers(Operation::ServerHash) && offers(Operation::ServerSet),
        parameters: has(Feature::Parameters),
        opaque_names: has(Feature::OpaqueNames),
        remotes: if has(Feature::Federation) { REMOTES } else { 0 },
    }
}
