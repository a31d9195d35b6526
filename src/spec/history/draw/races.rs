//! Acts at once: several lanes about one user, and often about one session or one set.

use super::looks::{Look, look, resolve_by_owner, status_by_another, status_by_owner, sync_by_another};
use super::scene::Scene;
use crate::spec::history::{Act, Seat, Which, Whom};

/// What the lanes of one step have to do with each other.
#[derive(Clone, Copy)]
struct Focus {
    /// The session that all are about, or whose user they are about.
    seat: Seat,
    /// The set that they are about.
    set: usize,
}

/// Does one act of a lane.
type LaneMove = fn(&mut Scene<'_>, Focus);

pub(super) const RACES: &[(usize, super::moves::Move)] = &[(5, race), (2, prepare), (1, look)];

/// Which acts meet, by theme.
const THEMES: &[(usize, &[(usize, LaneMove)])] = &[
    // One session changes its mind.
    (4, &[(6, declare_here), (1, read), (1, resolve)]),
    // Several sessions declare.
    (5, &[(6, declare), (1, read), (1, read_by_another)]),
    // The same set comes from several sides.
    (3, &[(4, upload_it), (4, declare_it), (1, resolve_it)]),
    // Sessions end while they declare.
    (5, &[(4, declare), (3, declare_here), (3, log_out_here), (1, delete_here), (1, read)]),
    // A login takes the place of a session that declares.
    (4, &[(3, declare_here), (2, declare), (3, log_in_here), (1, log_out_everywhere), (1, read)]),
    // Everything.
    (
        4,
        &[
            (4, declare),
            (2, declare_it),
            (2, upload_it),
            (2, log_out_here),
            (1, log_out),
            (1, delete_here),
            (1, log_in_here),
            (1, log_out_everywhere),
            (2, read),
            (2, read_by_another),
            (1, resolve),
        ],
    ),
];

/// Two users who share a room, of whom one has sessions, and some sets that are known.
pub(super) fn opening(scene: &mut Scene<'_>) {
    scene.act(Act::SignUp { user: 0 });
    if scene.act(Act::SignUp { user: 1 }) {
        let [host, guest] = [0, 1].map(|user| Seat { user, device: 0 });
        scene.act(Act::Share { host, guest });
    }
    for device in 1..scene.pick(&[(2, 2), (3, 3), (1, 4)]) {
        if device < scene.terrain.devices {
            scene.act(Act::LogIn { user: 0, device });
        }
    }
    let known = scene.sets().min(1 + scene.below(3));
    for set in 0..known {
        scene.act(Act::Upload { by: Seat { user: 0, device: 0 }, set });
    }
    prepare(scene);
}

/// A session declares a set that it uploads.
fn prepare(scene: &mut Scene<'_>) {
    if let Some(by) = scene.seat() {
        let set = scene.set();
        scene.act(Act::Upload { by, set });
        scene.act(Act::Declare { by, set });
    }
}

/// One step of acts at once; whoever they were about is read afterwards.
fn race(scene: &mut Scene<'_>) {
    let user = if scene.chance(80) { Some(0) } else { scene.user() };
    let Some(seat) = user.and_then(|user| scene.seat_of(user)).or_else(|| scene.seat()) else { return };
    let focus = Focus { seat, set: scene.set() };
    let theme = scene.pick(THEMES);
    let mut lanes: Vec<Vec<Act>> = Vec::new();
    for _ in 0..scene.pick(&[(5, 2), (3, 3), (2, 4)]) {
        let length = scene.pick(&[(5, 1), (3, 2), (1, 3)]);
        let spent: usize = lanes.iter().map(Vec::len).sum();
        let length = length.min(scene.left().saturating_sub(spent));
        lanes.push(scene.lane(length, |lane| lane.pick(theme)(lane, focus)));
    }
    scene.at_once(lanes);
    scene.touched = Some(seat.user);
    for look in [status_by_owner, resolve_by_owner] {
        look(scene, seat.user);
    }
    let another = scene.pick(&[(1, status_by_another as Look), (1, sync_by_another)]);
    another(scene, seat.user);
}

fn declare_here(scene: &mut Scene<'_>, focus: Focus) {
    let set = scene.set();
    scene.act(Act::Declare { by: focus.seat, set });
}

fn declare(scene: &mut Scene<'_>, focus: Focus) {
    if let Some(by) = scene.seat_of(focus.seat.user) {
        let set = scene.set();
        scene.act(Act::Declare { by, set });
    }
}

fn declare_it(scene: &mut Scene<'_>, focus: Focus) {
    if let Some(by) = scene.seat() {
        scene.act(Act::Declare { by, set: focus.set });
    }
}

fn upload_it(scene: &mut Scene<'_>, focus: Focus) {
    if let Some(by) = scene.seat() {
        scene.act(Act::Upload { by, set: focus.set });
    }
}

fn log_out_here(scene: &mut Scene<'_>, focus: Focus) {
    scene.act(Act::LogOut { by: focus.seat });
}

fn log_out(scene: &mut Scene<'_>, focus: Focus) {
    if let Some(by) = scene.seat_of(focus.seat.user) {
        scene.act(Act::LogOut { by });
    }
}

fn log_out_everywhere(scene: &mut Scene<'_>, focus: Focus) {
    if let Some(by) = scene.seat_of(focus.seat.user) {
        scene.act(Act::LogOutEverywhere { by });
    }
}

fn delete_here(scene: &mut Scene<'_>, focus: Focus) {
    if let Some(by) = scene.seat_of(focus.seat.user) {
        scene.act(Act::DeleteDevice { by, device: focus.seat.device });
    }
}

fn log_in_here(scene: &mut Scene<'_>, focus: Focus) {
    scene.act(Act::LogIn { user: focus.seat.user, device: focus.seat.device });
}

fn read(scene: &mut Scene<'_>, focus: Focus) {
    status_by_owner(scene, focus.seat.user);
}

fn read_by_another(scene: &mut Scene<'_>, focus: Focus) {
    status_by_another(scene, focus.seat.user);
}

fn resolve(scene: &mut Scene<'_>, focus: Focus) {
    resolve_by_owner(scene, focus.seat.user);
}

fn resolve_it(scene: &mut Scene<'_>, focus: Focus) {
    let user = focus.seat.user;
    if let Some(by) = scene.seat_of(user) {
        scene.act(Act::Resolve { by, of: Whom::User(user), what: Which::Set(focus.set) });
    }
}
