//! Moves with bad uploads, and looks at whether anything came of them.

use super::looks::{look, status_by_owner};
use super::moves::{Move, arrive, declare, introduce, log_in, log_out, put_and_look, put_set, resolve_any};
use super::scene::Scene;
use crate::spec::history::{Act, Seat, Spoil, Which, Whom};

/// Bad uploads between reads.
pub(super) const SPOILED: &[(usize, Move)] = &[
    (8, spoil),
    (6, claim_another),
    (3, introduce),
    (2, put_and_look),
    (3, declare),
    (1, arrive),
    (1, log_in),
    (1, log_out),
    (2, resolve_any),
    (2, look),
];

/// So many mutations are drawn: more than there are places to change in most sets.
const MUTATIONS: usize = 1 << 16;

fn spoil(scene: &mut Scene<'_>) {
    if let (Some(by), Some(set)) = (scene.seat(), scene.full_set()) {
        let how = match Spoil::KINDS[scene.below(Spoil::KINDS.len())] {
            _ if scene.chance(25) => Spoil::Mutated(scene.below(MUTATIONS)),
            Spoil::CutOff(_) => Spoil::CutOff(1 + scene.below(40)),
            Spoil::LineFeed(_) => Spoil::LineFeed(scene.below(8)),
            other => other,
        };
        scene.act(Act::UploadSpoiled { by, set, how });
        doubt(scene, by, set);
    }
}

fn claim_another(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let (claim, body) = (scene.set(), scene.set());
        if scene.act(Act::UploadUnder { by, claim, body }) {
            doubt(scene, by, claim);
        }
    }
}

/// After a bad upload: nothing is declared by it, nothing resolves that did not, and a good one still works.
fn doubt(scene: &mut Scene<'_>, by: Seat, set: usize) {
    look(scene);
    if scene.chance(40) {
        scene.act(Act::Resolve { by, of: Whom::User(by.user), what: Which::Set(set) });
    }
    if scene.chance(50) {
        scene.act(Act::Declare { by, set });
        look(scene);
    }
    if scene.chance(25) {
        put_set(scene, by, set);
        status_by_owner(scene, by.user);
    }
}
