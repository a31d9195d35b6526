//! Looks: how somebody's hash is read and resolved, by whom.

use super::scene::Scene;
use crate::spec::history::{Act, Which, Whom};

/// Looks at a user, if anybody can.
pub(super) type Look = fn(&mut Scene<'_>, usize);

/// How others look at whoever was touched.
const LOOKS: &[(usize, Look)] = &[
    (5, status_by_owner),
    (5, status_by_another),
    (3, sync_by_another),
    (3, resolve_by_owner),
    (3, resolve_by_another),
    (2, resolve_superseded),
    (1, sync_by_owner),
];

/// Somebody looks at whoever was touched last.
pub(super) fn look(scene: &mut Scene<'_>) {
    if let Some(user) = scene.touched {
        scene.pick(LOOKS)(scene, user);
    }
}

pub(super) fn look_often(scene: &mut Scene<'_>) {
    for _ in 0..scene.pick(&[(25, 0), (55, 1), (20, 2)]) {
        look(scene);
    }
}

pub(super) fn status_by_owner(scene: &mut Scene<'_>, user: usize) {
    if let Some(by) = scene.seat_of(user) {
        scene.act(Act::ReadStatus { by, of: Whom::User(user) });
    }
}

pub(super) fn status_by_another(scene: &mut Scene<'_>, user: usize) {
    if let Some(by) = scene.looker(Whom::User(user)) {
        scene.act(Act::ReadStatus { by, of: Whom::User(user) });
    }
}

pub(super) fn sync_by_owner(scene: &mut Scene<'_>, user: usize) {
    if let Some(by) = scene.seat_of(user) {
        scene.act(Act::Sync { by, of: Whom::User(user) });
    }
}

pub(super) fn sync_by_another(scene: &mut Scene<'_>, user: usize) {
    if let Some(by) = scene.looker(Whom::User(user)) {
        scene.act(Act::Sync { by, of: Whom::User(user) });
    }
}

pub(super) fn resolve_by_owner(scene: &mut Scene<'_>, user: usize) {
    if let Some(by) = scene.seat_of(user) {
        scene.act(Act::Resolve { by, of: Whom::User(user), what: Which::InForce });
    }
}

pub(super) fn resolve_by_another(scene: &mut Scene<'_>, user: usize) {
    if let Some(by) = scene.looker(Whom::User(user)) {
        scene.act(Act::Resolve { by, of: Whom::User(user), what: Which::InForce });
    }
}

pub(super) fn resolve_superseded(scene: &mut Scene<'_>, user: usize) {
    let by = if scene.chance(50) { scene.seat_of(user) } else { scene.looker(Whom::User(user)) };
    if let Some(by) = by {
        scene.act(Act::Resolve { by, of: Whom::User(user), what: Which::Superseded });
    }
}
