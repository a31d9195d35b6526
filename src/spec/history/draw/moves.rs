//! Moves: the few acts that belong together, and how often each shape makes them.

use super::looks::{
    look, look_often, resolve_by_another, resolve_by_owner, status_by_another, status_by_owner,
    sync_by_another,
};
use super::scene::Scene;
use crate::spec::history::{Act, Availability, Seat, Which, Whom};

/// Does some acts, or none where nothing of the kind can be done.
pub(super) type Move = fn(&mut Scene<'_>);

/// Sessions come and go, sets change, others look.
pub(super) const SEQUENCE: &[(usize, Move)] = &[
    (5, arrive),
    (8, log_in),
    (10, introduce),
    (6, introduce_by_another),
    (14, put),
    (8, declare),
    (4, declare_again),
    (3, refused_again),
    (4, there_and_back),
    (3, crowd),
    (2, come_and_go),
    (5, upload),
    (6, log_out),
    (2, log_out_everywhere),
    (4, delete_device),
    (5, log_in_again),
    (2, use_dead_token),
    (4, set_status),
    (4, share),
    (2, leave),
    (2, leave_and_come_back),
    (1, ask_server),
    (2, resolve_any),
    (6, look),
];

/// Users whose sessions declare the same sets.
pub(super) const ALGEBRA: &[(usize, Move)] = &[
    (1, arrive),
    (2, log_in),
    (10, same_for_all),
    (4, put_and_look),
    (2, log_out),
    (1, log_in_again),
    (1, look),
];

/// Set after set, each uploaded, declared, read and resolved.
pub(super) const ROUND_TRIP: &[(usize, Move)] =
    &[(10, round_trip), (1, arrive), (1, log_in), (1, log_out), (2, resolve_any), (1, declare)];

/// One or two users, and perhaps a room.
pub(super) fn opening(scene: &mut Scene<'_>) {
    scene.act(Act::SignUp { user: 0 });
    if scene.chance(80) {
        arrive(scene);
    }
    if scene.chance(60) {
        log_in(scene);
    }
}

/// Two users or three, because one alone proves no law.
pub(super) fn several(scene: &mut Scene<'_>) {
    scene.act(Act::SignUp { user: 0 });
    for _ in 0..=scene.below(2) {
        arrive(scene);
    }
}

/// At the end everybody's hash is read and resolved, by themself and by somebody else.
pub(super) fn audit(scene: &mut Scene<'_>) {
    let users = scene.users();
    for user in scene.shuffled(users) {
        if !scene.seats_of(user).is_empty() {
            status_by_owner(scene, user);
            resolve_by_owner(scene, user);
        }
        if scene.chance(50) {
            status_by_another(scene, user);
        } else {
            sync_by_another(scene, user);
        }
        resolve_by_another(scene, user);
    }
}

/// A new user, most often with a room to share with one who was there.
pub(super) fn arrive(scene: &mut Scene<'_>) {
    let (there, user) = (scene.seat(), scene.users().len());
    if scene.act(Act::SignUp { user })
        && let Some(there) = there
        && scene.chance(85)
    {
        let new = Seat { user, device: 0 };
        let (host, guest) = if scene.chance(50) { (there, new) } else { (new, there) };
        scene.act(Act::Share { host, guest });
    }
}

/// A session on a device that has none.
fn open(scene: &mut Scene<'_>, user: usize) -> Option<Seat> {
    let free = (0..scene.terrain.devices).map(|device| Seat { user, device });
    let free = free.filter(|seat| !scene.lives(*seat)).collect();
    let seat: Seat = scene.one_of(free)?;
    scene.act(Act::LogIn { user, device: seat.device }).then_some(seat)
}

pub(super) fn log_in(scene: &mut Scene<'_>) {
    if let Some(user) = scene.user() {
        let opened = open(scene, user);
        if let Some(by) = opened.filter(|_| scene.chance(50)) {
            put_by(scene, by);
        }
    }
}

/// A login, or a few, on a device whose session lives.
pub(super) fn log_in_again(scene: &mut Scene<'_>) {
    if let Some(Seat { user, device }) = scene.seat() {
        for _ in 0..=scene.below(3) {
            scene.act(Act::LogIn { user, device });
        }
        look(scene);
    }
}

/// What a client does that does not know whether its set is known: it declares, uploads, and declares again.
pub(super) fn introduce(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        introduce_with(scene, by, by);
    }
}

/// The same, but another session uploads: one of the same user, or of somebody else.
fn introduce_by_another(scene: &mut Scene<'_>) {
    let Some(by) = scene.seat() else { return };
    let near = if scene.chance(70) { scene.seats_of(by.user) } else { scene.seats() };
    let others = near.into_iter().filter(|seat| *seat != by).collect();
    if let Some(other) = scene.one_of(others) {
        introduce_with(scene, by, other);
    }
}

fn introduce_with(scene: &mut Scene<'_>, by: Seat, uploader: Seat) {
    let set = scene.set();
    scene.act(Act::Declare { by, set });
    if scene.chance(25) {
        look(scene);
    }
    scene.act(Act::Upload { by: uploader, set });
    if scene.chance(15) {
        look(scene);
    }
    scene.act(Act::Declare { by, set });
    look_often(scene);
}

fn put_by(scene: &mut Scene<'_>, by: Seat) {
    let set = scene.set();
    put_set(scene, by, set);
}

pub(super) fn put_set(scene: &mut Scene<'_>, by: Seat, set: usize) {
    scene.act(Act::Upload { by, set });
    scene.act(Act::Declare { by, set });
}

pub(super) fn put(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        put_by(scene, by);
        look_often(scene);
    }
}

pub(super) fn put_and_look(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        put_by(scene, by);
        status_by_owner(scene, by.user);
    }
}

/// A declare alone, whether the set is known or not.
pub(super) fn declare(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let set = scene.set();
        scene.act(Act::Declare { by, set });
        look_often(scene);
    }
}

/// The same set twice from one session, then perhaps from another.
fn declare_again(scene: &mut Scene<'_>) {
    let Some(by) = scene.seat() else { return };
    let set = scene.set();
    put_set(scene, by, set);
    scene.act(Act::Declare { by, set });
    if let Some(by) = scene.seat_of(by.user) {
        scene.act(Act::Declare { by, set });
    }
    look(scene);
}

/// The same hash refused twice, perhaps to two sessions.
fn refused_again(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let set = scene.set();
        scene.act(Act::Declare { by, set });
        if let Some(by) = scene.seat_of(by.user) {
            scene.act(Act::Declare { by, set });
        }
        look(scene);
    }
}

/// One set, another, and the first again.
fn there_and_back(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let (one, other) = (scene.set(), scene.set());
        for set in [one, other] {
            put_set(scene, by, set);
            look_often(scene);
        }
        scene.act(Act::Declare { by, set: one });
        look(scene);
    }
}

/// Three sessions of a user or more, of which one leaves.
fn crowd(scene: &mut Scene<'_>) {
    let Some(user) = scene.user() else { return };
    while scene.seats_of(user).len() < 3 && open(scene, user).is_some() {}
    let seats = scene.seats_of(user);
    let seats = scene.shuffled(seats);
    for by in &seats {
        put_by(scene, *by);
    }
    if let Some(by) = scene.one_of(seats) {
        scene.act(Act::LogOut { by });
        status_by_another(scene, user);
        status_by_owner(scene, user);
    }
}

/// Sessions of one user that come with a set and leave, one after the other, each on a device of its own.
fn come_and_go(scene: &mut Scene<'_>) {
    let Some(user) = scene.user() else { return };
    let free = (0..scene.terrain.devices).map(|device| Seat { user, device });
    let free = free.filter(|seat| !scene.lives(*seat)).collect();
    for by in scene.shuffled(free) {
        scene.act(Act::LogIn { user, device: by.device });
        put_by(scene, by);
        scene.act(Act::LogOut { by });
        status_by_owner(scene, user);
    }
}

fn upload(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let set = scene.set();
        scene.act(Act::Upload { by, set });
        look_often(scene);
    }
}

pub(super) fn log_out(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        scene.act(Act::LogOut { by });
        look_often(scene);
        if scene.chance(15) {
            scene.act(Act::UseDeadToken { by });
        }
    }
}

pub(super) fn log_out_everywhere(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        scene.act(Act::LogOutEverywhere { by });
        look(scene);
        if scene.chance(70) {
            open(scene, by.user);
        }
        look(scene);
    }
}

pub(super) fn delete_device(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat()
        && let Some(Seat { device, .. }) = scene.seat_of(by.user)
    {
        scene.act(Act::DeleteDevice { by, device });
        look_often(scene);
    }
}

fn use_dead_token(scene: &mut Scene<'_>) {
    if let Some(user) = scene.user() {
        let device = scene.below(scene.terrain.devices);
        scene.act(Act::UseDeadToken { by: Seat { user, device } });
    }
}

pub(super) fn set_status(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let presence = scene.pick(&[
            (1, Availability::Online),
            (1, Availability::Unavailable),
            (1, Availability::Offline),
        ]);
        let forged = if scene.chance(50) { Some(scene.set()) } else { None };
        scene.act(Act::SetStatus { by, presence, forged });
        look_often(scene);
    }
}

fn share(scene: &mut Scene<'_>) {
    if let (Some(host), Some(guest)) = (scene.seat(), scene.seat())
        && host.user != guest.user
    {
        scene.act(Act::Share { host, guest });
        look_often(scene);
    }
}

/// Two who share a room part; who left, if somebody did.
fn part(scene: &mut Scene<'_>) -> Option<(Seat, Seat)> {
    let (by, other) = (scene.seat()?, scene.seat()?);
    let with = Whom::User(other.user);
    (scene.share(by.user, with) && scene.act(Act::Leave { by, with })).then_some((by, other))
}

fn leave(scene: &mut Scene<'_>) {
    if part(scene).is_some() {
        look(scene);
    }
}

fn leave_and_come_back(scene: &mut Scene<'_>) {
    if let Some((by, other)) = part(scene) {
        if scene.chance(60) {
            put_by(scene, other);
        }
        if scene.chance(50) {
            scene.act(Act::Sync { by, of: Whom::User(other.user) });
        }
        scene.act(Act::Share { host: other, guest: by });
        scene.act(Act::Sync { by, of: Whom::User(other.user) });
        status_by_another(scene, other.user);
    }
}

fn ask_server(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        scene.act(Act::AskServer { by });
    }
}

/// Any hash of anybody.
pub(super) fn resolve_any(scene: &mut Scene<'_>) {
    if let (Some(by), Some(of)) = (scene.seat(), scene.user()) {
        let set = Which::Set(scene.set());
        let what = scene.pick(&[(1, Which::InForce), (2, Which::Superseded), (4, set), (1, Which::Unknown)]);
        scene.act(Act::Resolve { by, of: Whom::User(of), what });
    }
}

/// Each user's sessions declare the same few sets, in an order and from sessions of their own; who has a
/// session more declares one of them twice. After each step the owner reads.
fn same_for_all(scene: &mut Scene<'_>) {
    let count = 1 + scene.below(scene.sets().min(3));
    let all = scene.shuffled((0..scene.sets()).collect());
    let chosen = &all[..count];
    for user in scene.users() {
        while scene.seats_of(user).len() < count && open(scene, user).is_some() {}
        let seats = scene.seats_of(user);
        let order = scene.shuffled(chosen.to_vec());
        for (by, set) in scene.shuffled(seats).into_iter().zip(order.iter().cycle()) {
            put_set(scene, by, *set);
            status_by_owner(scene, user);
        }
        status_by_another(scene, user);
    }
}

/// A set there and back: uploaded, declared, read, resolved.
fn round_trip(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let set = scene.set();
        put_set(scene, by, set);
        status_by_owner(scene, by.user);
        resolve_by_owner(scene, by.user);
        if scene.chance(40) {
            resolve_by_another(scene, by.user);
        }
    }
}
